import type { KubernetesObject } from './cluster.ts';
import { onNode } from './on-node.ts';

/**
 * What kills from outside: no process can send SIGKILL to the first one of its own container. It sees all processes of
 * the node; of those in the container, which its control group tells, it finds the one that is number 1 there.
 */
const KILL = `
const { readdirSync, readFileSync } = require('node:fs');
const [id] = process.argv.slice(-1);
const read = (pid, file) => { try { return readFileSync('/proc/' + pid + '/' + file, 'utf8'); } catch { return ''; } };
const isFirst = (pid) => /^NSpid:.*\\s1$/m.test(read(pid, 'status'));
const found = readdirSync('/proc').filter((pid) => read(pid, 'cgroup').includes(id) && isFirst(pid));
if (found.length !== 1) throw new Error('found ' + found.length);
process.kill(Number(found[0]), 'SIGKILL');
`;

/** SIGKILL to the first process of the container, and to no other. */
export async function killContainer({ spec, status }: KubernetesObject, container: string): Promise<void> {
  const { containerID } = status.containerStatuses.find(({ name }: KubernetesObject) => name === container);
  await onNode(spec.nodeName, KILL, containerID.split('//')[1]);
}
