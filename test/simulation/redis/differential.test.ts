import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../loadtest/stack/redis-server.ts';
import { Random } from '../../hostile/random.ts';
import { TestClock } from '../../support/test-clock.ts';
import { type Invocation, ComparingProxy } from './differential/proxy.ts';
import { RandomPod } from './differential/pods.ts';
import { Lua } from './lua.ts';

const SEED = 20;
const lua = new Lua();
let redis: RedisServer;
/** What the product has called. */
let invocations: readonly Invocation[];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.discard());

test('pods are answered the same by the model as by Redis, and hear the same', async () => {
  const random = Random.of(SEED, 0);
  const clock = new TestClock(Date.now());
  const proxy = new ComparingProxy({ port: redis.port, lua, now: () => clock.now() });
  const port = await proxy.start();
  const positions: string[] = [];
  const pods = ['one', 'two', 'three'].map((name) => new RandomPod({ name, port, clock, random, positions }));
  await Promise.all(pods.map((pod) => pod.start()));
  await proxy.settle();
  for (let round = 0; round < 60; round += 1) {
    const acting = round < 40 ? pods : pods.slice(1);
    if (round === 40) pods[0]?.die();
    await Promise.all(Array.from({ length: 12 }, () => random.pick(acting).act()));
    clock.advance(random.pick([0, 1, 20, 200, 1_500, 3_000]));
    await proxy.settle();
    expect(proxy.differences).toEqual([]);
  }
  for (const pod of pods) pod.die();
  await proxy.settle();
  proxy.stop();
  console.log(
    proxy.compared,
    proxy.invocations.length,
    new Set(proxy.invocations.map((i) => i.script.sha)).size,
  );
  invocations = proxy.invocations;
  expect(invocations.length).toBeGreaterThan(300);
});
