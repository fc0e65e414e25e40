import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl, kubectlAnywhere, podsOf, readyPodsOf } from './cluster.ts';
import { Prober } from './prober.ts';
import { eventually } from './patience.ts';
import { install, masterPod } from './release.ts';
import { saw } from './report.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };
/** Of a cluster whose DNS is another Deployment, or none, say which. */
const DNS = process.env['DNS_DEPLOYMENT'] ?? 'deployment/coredns';
const AWAY_MS = 60_000;

beforeAll(() => install());

async function dns(replicas: number): Promise<void> {
  await kubectlAnywhere('--namespace=kube-system', 'scale', DNS, `--replicas=${replicas}`);
}

afterAll(() => dns(1));

/** What happens while DNS is away for a minute, and how long nothing crosses from pod to pod meanwhile. */
async function withoutDns(
  what: string,
  fault: () => Promise<unknown>,
  presence: 'quiet' | 'told' = 'quiet',
): Promise<void> {
  const before = await restarts();
  const prober = await Prober.start();
  const away = async (): Promise<void> => {
    await dns(0);
    const pods = ['--namespace=kube-system', 'get', 'pods', '--selector=k8s-app=kube-dns', '--output=name'];
    await eventually('DNS to be gone', async () => (await kubectlAnywhere(...pods)) === '');
    await Promise.all([fault(), sleep(AWAY_MS)]);
    await dns(1);
    await kubectlAnywhere('--namespace=kube-system', 'rollout', 'status', DNS, '--timeout=3m');
  };
  await talkThrough(what, away, { presence });
  // Where a gateway goes the prober, which does not come back, may have been on it.
  if (presence === 'quiet')
    saw('… longest time without a message from pod to pod', `${(prober.stop() / 1_000).toFixed(1)} s`);
  // None was taken for dead: a pod that is replaced begins at 0, as do its containers.
  for (const [pod, count] of await restarts()) expect([pod, count]).toEqual([pod, before.get(pod)]);
}

/** How often the containers of each Redis pod were restarted. */
async function restarts(): Promise<Map<string, string>> {
  const path = '--output=jsonpath={.status.containerStatuses[*].restartCount}';
  const counts = (await podsOf('redis')).map(
    async (pod) => [pod, await kubectl('get', `pod/${pod}`, path)] as const,
  );
  return new Map(await Promise.all(counts));
}

test('DNS is away for a minute', SLOW, () => withoutDns('CoreDNS away for 60 s', () => Promise.resolve()));

test('the Redis master is deleted while DNS is away', SLOW, async () => {
  const master = await masterPod();
  await withoutDns('CoreDNS away for 60 s, and the Redis master deleted', async () => {
    await kubectl('delete', `pod/${master}`, '--wait=false');
    await eventually('another master', async () => (await masterPod()) !== master);
  });
});

test('a gateway is deleted while DNS is away', SLOW, async () => {
  const [pod = ''] = await readyPodsOf('gateway');
  // Its successor finds no Redis, and serves by itself after START_WAIT_SECONDS.
  await withoutDns(
    'CoreDNS away for 60 s, and a gateway deleted',
    () => kubectl('delete', `pod/${pod}`, '--wait=false'),
    'told',
  );
});
