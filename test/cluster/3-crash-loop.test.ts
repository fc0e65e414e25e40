import { afterAll, beforeAll, expect, test } from 'vitest';
import { gather } from '../client-faults/crowd.ts';
import { personAt } from '../client-faults/world.ts';
import { connections, get, kubectl, type KubernetesObject, readyPodsOf, RELEASE, WS_URL } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw, secondsSince } from './report.ts';

const SLOW = { timeout: 600_000 };
/** A hundredth of the chart's own: 10,000 connections a pod at most, 6,000 on average. */
const MOST = 100;
const TARGET = 60 - 1;

beforeAll(async () => {
  await install({ 'settings.MAX_CONNECTIONS': MOST, 'autoscaling.targetConnections': TARGET });
  await atRest();
});

afterAll(async () => {
  await kubectl('set', 'env', `deployment/${RELEASE}`, 'NODE_OPTIONS-');
  await install({}, '--force-conflicts');
  await atRest();
});

async function crashing(): Promise<string[]> {
  const { items } = await get('pods', '--selector', 'app.kubernetes.io/component=gateway');
  return items
    .filter(
      ({ status }: KubernetesObject) =>
        status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
    )
    .map(({ metadata }: KubernetesObject): string => metadata.name);
}

test('a pod that crash-loops does not keep the autoscaler from adding others', SLOW, async () => {
  await kubectl('set', 'env', `deployment/${RELEASE}`, 'NODE_OPTIONS=--no-such-option');
  await eventually('a pod that crash-loops', async () => (await crashing()).length > 0);
  expect(await readyPodsOf('gateway')).toHaveLength(2);
  await gather(WS_URL, 20, (2 * MOST) / 20);
  const start = performance.now();
  const names = Array.from({ length: 10 }, (_, n) => `late-${n}`);
  await Promise.all(names.map((name) => personAt({ wsUrl: WS_URL }, name)));
  saw(
    'two full pods and one that crash-loops: ten more people are let in',
    `${secondsSince(start)} later, on ${(await readyPodsOf('gateway')).length} pods: ${[...(await connections()).values()].join(', ')}`,
  );
  expect((await crashing()).length).toBeGreaterThan(0);
  expect((await readyPodsOf('gateway')).length).toBeGreaterThan(2);
});
