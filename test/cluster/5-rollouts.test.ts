import { afterAll, expect, test } from 'vitest';
import { get, kubectl, type KubernetesObject, readyPodsOf, RELEASE } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw } from './report.ts';
import { movesOf, talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };
const PODS = 4;
const FOUR = { 'autoscaling.minReplicas': PODS };

afterAll(async () => {
  await install();
  await eventually('two pods', async () => (await readyPodsOf('gateway')).length === 2);
});

test('four pods and 400 clients through a rollout', SLOW, async () => {
  await install(FOUR);
  await eventually(`${PODS} pods`, async () => (await readyPodsOf('gateway')).length === PODS);
  const before = await readyPodsOf('gateway');
  let moves = '';
  const fault = async (crowd: Parameters<typeof movesOf>[0]): Promise<void> => {
    await install({ ...FOUR, 'settings.LOG_LEVEL': 'debug' });
    await atRest();
    moves = movesOf(crowd);
  };
  await talkThrough('rolling upgrade of four pods, 400 clients', fault, { rooms: 40, everyMs: 8_000 });
  expect((await readyPodsOf('gateway')).filter((pod) => before.includes(pod))).toEqual([]);
  saw('… how often each of them had to move', moves);
});

test('the gateway and Redis are rolled at the same time', SLOW, async () => {
  await install();
  await eventually('two pods', async () => (await readyPodsOf('gateway')).length === 2);
  const revision = async (): Promise<string> =>
    (await get(`statefulset/${RELEASE}-redis`)).status.updateRevision;
  const [before, pods] = [await revision(), await readyPodsOf('gateway')];
  await talkThrough('rolling upgrade of the gateway and of Redis at once', async () => {
    await kubectl('rollout', 'restart', `deployment/${RELEASE}`, `statefulset/${RELEASE}-redis`);
    await atRest();
  });
  expect(await revision()).not.toBe(before);
  const now = (await readyPodsOf('gateway')).filter((pod) => pods.includes(pod));
  expect(now, 'pods from before').toEqual([]);
  const { items } = await get('pods', '--selector', 'app.kubernetes.io/component=redis');
  const restarts = items.flatMap(({ status }: KubernetesObject) =>
    status.containerStatuses.map(({ restartCount }: KubernetesObject): number => restartCount),
  );
  expect(restarts).toEqual(restarts.map(() => 0));
});
