import { spawn } from 'node:child_process';
import { kubectlAnywhere, type KubernetesObject } from './cluster.ts';

/** The node that is lost and drained; another one has to have the ingress and DNS. */
export const NODE = process.env['SECOND_NODE'] ?? 'node-2';
/** Commands that take the power from that node and give it back. */
const OFF = process.env['SECOND_NODE_OFF'];
const ON = process.env['SECOND_NODE_ON'];

export const canBeLost = OFF !== undefined && ON !== undefined;

/** Says why not, where there is none. */
export async function isThere(): Promise<boolean> {
  if (canBeLost) await powerOn();
  return (await kubectlAnywhere('get', `node/${NODE}`, '--ignore-not-found')) !== '';
}

export function powerOff(): Promise<void> {
  return shell(OFF ?? '');
}

export function powerOn(): Promise<void> {
  return shell(ON ?? '');
}

async function shell(command: string): Promise<void> {
  // Its output is no pipe: what it starts may go on and would keep that open.
  const child = spawn('sh', ['-c', command], { stdio: 'ignore' });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (code !== 0) throw new Error(`${command}: ended with ${String(code)}`);
}

export async function isReady(): Promise<boolean> {
  const { status }: KubernetesObject = JSON.parse(
    await kubectlAnywhere('get', `node/${NODE}`, '--output=json'),
  );
  return status.conditions.some((one: KubernetesObject) => one.type === 'Ready' && one.status === 'True');
}

/** Nothing new is put on the node while `during` goes on. */
export async function cordoned(node: string, during: () => Promise<void>): Promise<void> {
  await kubectlAnywhere('cordon', node);
  try {
    await during();
  } finally {
    await kubectlAnywhere('uncordon', node);
  }
}
