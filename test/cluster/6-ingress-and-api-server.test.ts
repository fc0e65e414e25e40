import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { kubectlAnywhere, type KubernetesObject, readyPodsOf } from './cluster.ts';
import { killContainer } from './killer.ts';
import { onNode } from './on-node.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw } from './report.ts';
import { cookies } from './sticky.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };
const AWAY_SECONDS = 60;

beforeAll(async () => {
  await install();
  await atRest();
});

/** The pods of the ingress controller, by either of the labels that it goes by. */
async function ingressPods(): Promise<KubernetesObject[]> {
  const labels = ['app.kubernetes.io/name=traefik', 'app=traefik'];
  const lists = labels.map(async (label) =>
    JSON.parse(
      await kubectlAnywhere('get', 'pods', '--all-namespaces', '--selector', label, '--output=json'),
    ),
  );
  return (await Promise.all(lists)).flatMap(({ items }: KubernetesObject) => items);
}

test('the ingress controller is killed', SLOW, async () => {
  const pods = await ingressPods();
  expect(pods).not.toEqual([]);
  const fault = async (): Promise<void> => {
    for (const pod of pods) await killContainer(pod, pod.spec.containers[0].name);
    await eventually('the ingress to lead to all pods again', async () => (await cookies()).size === 2);
  };
  // Whoever is away for longer than the grace while Traefik starts is announced as gone.
  await talkThrough('SIGKILL to Traefik', fault, { presence: 'told' });
});

/** Makes each API server of its node stand still for so many seconds; says how many there are. */
const FREEZE = `
const { readdirSync, readFileSync } = require('node:fs');
const read = (pid) => { try { return readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0'); } catch { return []; } };
const found = readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid))
  .filter((pid) => read(pid).slice(0, 2).some((word) => word.endsWith('kube-apiserver')));
const send = (signal) => { for (const pid of found) process.kill(Number(pid), signal); };
console.log(found.length);
if (found.length > 0) { send('SIGSTOP'); setTimeout(send, 1000 * process.argv.at(-1), 'SIGCONT'); }
`;

/** The nodes on which somebody runs a control plane, if they can be told, else all. */
async function controlPlane(): Promise<string[]> {
  const ask = async (...selector: string[]): Promise<string[]> => {
    const names = await kubectlAnywhere('get', 'nodes', '--output=name', ...selector);
    return names.split('\n').flatMap((name) => (name === '' ? [] : [name.replace('node/', '')]));
  };
  const named = await ask('--selector=node-role.kubernetes.io/control-plane');
  return named.length > 0 ? named : ask();
}

test(`the API server is away for ${AWAY_SECONDS} s`, SLOW, async () => {
  const pods = await readyPodsOf('gateway');
  let found = 0;
  await talkThrough(`API server away for ${AWAY_SECONDS} s`, async () => {
    for (const node of await controlPlane()) found += Number(await onNode(node, FREEZE, `${AWAY_SECONDS}`));
    // What its absence brings comes after it.
    await sleep(10_000);
  });
  if (found === 0) saw('… it could not be stopped', 'no process of it on a node of this cluster');
  expect(await readyPodsOf('gateway')).toEqual(pods);
});
