import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';

/** Where the suite installs everything but what is in `k8s/`; it is removed at the end. */
export const NAMESPACE = 'crosspod-test';
export const RELEASE = 'crosspod';
/** The ingress controller of the cluster, as this machine reaches it. */
export const INGRESS_URL = process.env['INGRESS_URL'] ?? 'http://127.0.0.1:8000';
export const WS_URL = INGRESS_URL.replace(/^http/, 'ws');

/** What is asked of an object of Kubernetes; tests read into it field by field. */
// oxlint-disable-next-line typescript/no-explicit-any
export type KubernetesObject = any;

/** Runs the program and gives what it wrote; throws with what it said where it fails. */
async function run(program: 'helm' | 'kubectl', args: readonly string[], input = ''): Promise<string> {
  const child = spawn(kubernetesTool(program), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  // Whoever has ended says why on its own.
  child.stdin.on('error', () => {}).end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    }),
  ]);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

export function helm(...args: readonly string[]): Promise<string> {
  return run('helm', ['--namespace', NAMESPACE, ...args]);
}

export function kubectl(...args: readonly string[]): Promise<string> {
  return run('kubectl', ['--namespace', NAMESPACE, ...args]);
}

/** `kubectl`, for what names its own namespace, or has none. */
export function kubectlAnywhere(...args: readonly string[]): Promise<string> {
  return run('kubectl', args);
}

/** `kubectl`, with this on its standard input. */
export function kubectlWith(input: unknown, ...args: readonly string[]): Promise<string> {
  return run('kubectl', ['--namespace', NAMESPACE, ...args], JSON.stringify(input));
}

/** Objects, as in `get('pods', '--selector', …)` or `get('deployment/crosspod')`. */
export async function get(...what: readonly string[]): Promise<KubernetesObject> {
  return JSON.parse(await kubectl('get', ...what, '--output', 'json'));
}

/** The names of the pods of one part that run and are not about to end. */
export async function podsOf(component: 'gateway' | 'redis'): Promise<string[]> {
  const selector = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=${component}`;
  const { items } = await get('pods', '--selector', selector);
  return items
    .filter(
      ({ metadata, status }: KubernetesObject) => !metadata.deletionTimestamp && status.phase === 'Running',
    )
    .map(({ metadata }: KubernetesObject): string => metadata.name)
    .toSorted();
}

/** Those of them that are ready. */
export async function readyPodsOf(component: 'gateway' | 'redis'): Promise<string[]> {
  const names = await podsOf(component);
  if (names.length === 0) return [];
  const pods = await Promise.all(names.map((name) => get(`pod/${name}`).catch(() => undefined)));
  return names.filter((_, index) =>
    pods[index]?.status.conditions.some(
      ({ type, status }: KubernetesObject) => type === 'Ready' && status === 'True',
    ),
  );
}

/** A metric of one pod that has no labels; by way of the API server, as operators reach it. */
export async function metricOf(pod: string, name: string): Promise<number> {
  const metrics = await kubectl(
    'get',
    '--raw',
    `/api/v1/namespaces/${NAMESPACE}/pods/${pod}:9090/proxy/metrics`,
  );
  const line = metrics.split('\n').find((one) => one.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${pod} has no metric ${name}`);
  return Number(line.split(' ')[1]);
}

/** How many connections each pod that is ready has, by its name. */
export async function connections(): Promise<Map<string, number>> {
  const pods = await readyPodsOf('gateway');
  const counts = await Promise.all(pods.map((pod) => metricOf(pod, 'realtime_connections_total')));
  return new Map(pods.map((pod, index) => [pod, counts[index] ?? 0]));
}
