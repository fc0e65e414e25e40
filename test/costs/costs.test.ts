import { expect, onTestFinished, test } from 'vitest';
import { measure, type Table } from './measure.ts';
import { MeasuredPod } from './measured-pod.ts';
import { startRedis } from '../support/stack/redis-server.ts';

/**
 * What a pod may allocate for one message to a room of ten, one join of an empty room, one join that lists fifty members,
 * and one resume of a hundred messages. The counts
 * repeat to about 2 %, and the limits are a tenth above them: a change that needs more must say why. Lower them when a
 * change needs less. Timers and promises of joins and resumes leave more room, since a slow machine runs the pod's
 * periodic tasks more often meanwhile. `node test/costs/main.ts` prints the counts.
 */
const MEMORY: Table = {
  message: { bytes: 16_800, promises: 4, timers: 0.2 },
  join: { bytes: 62_000, promises: 60, timers: 8 },
  list: { bytes: 59_000, promises: 60, timers: 8 },
  resume: { bytes: 60_000, promises: 60, timers: 8 },
};
const REDIS: Table = {
  message: { bytes: 34_500, promises: 6, timers: 0.2 },
  join: { bytes: 160_000, promises: 200, timers: 12 },
  list: { bytes: 124_000, promises: 130, timers: 12 },
  resume: { bytes: 140_000, promises: 160, timers: 12 },
};

test('a pod alone allocates no more than this', async () => {
  await expectAtMost(MEMORY, {});
});

test('a pod with Redis allocates no more than this', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.discard());
  await expectAtMost(REDIS, redis.env);
});

async function expectAtMost(limits: Table, env: Readonly<Record<string, string>>): Promise<void> {
  const pod = await MeasuredPod.start(env);
  onTestFinished(() => pod.stop());
  const costs = await measure(pod);
  for (const [what, limit] of Object.entries(limits)) {
    for (const [unit, most] of Object.entries(limit)) {
      const { [unit as keyof typeof limit]: cost } = costs[what as keyof Table];
      expect(cost, `${unit} of a ${what}`).toBeLessThanOrEqual(most);
    }
  }
}
