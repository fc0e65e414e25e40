import { expect, test } from 'vitest';
import {
  connectionsIn,
  degraded,
  eventually,
  podsOn,
  presenceIs,
  ready,
  readiness,
  redisOf,
  SLOW,
} from './world.ts';
import { allAcked, allHeard, expectNoRepeat, saidBy } from './judge.ts';
import { Witness } from './witness.ts';

test('pods that start without Redis serve, and share all of it when it comes', SLOW, async () => {
  const redis = await redisOf();
  await redis.kill();
  const [here, there] = await podsOn(redis);
  for (const pod of [here, there]) expect(await readiness(pod)).toBe('200 degraded');
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  for (const one of [alice, bob, carol]) expect(one.losses()).toEqual(['unavailable']);
  alice.say();
  carol.say();
  await allHeard([alice, bob], new Map([['alice', 1]]));
  await allHeard([carol], new Map([['carol', 1]]));
  await redis.start();
  await ready(here, there);
  alice.say();
  const said = saidBy([alice, carol]);
  await allHeard([alice, bob, carol], said);
  await allAcked([alice, carol]);
  expectNoRepeat([alice, bob, carol]);
  for (const one of [alice, bob, carol]) {
    expect(one.frames.filter(({ event }) => event === 'recovered')).toHaveLength(1);
  }
  await presenceIs([here, there], 'room', ['alice', 'bob', 'carol']);
  await eventually('all counted', async () => (await connectionsIn(here, 'room')) === 3);
});

test.for(['killed', 'frozen'] as const)('a pod stops in time while its Redis is %s', SLOW, async (how) => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis, { SHUTDOWN_TIMEOUT_SECONDS: '40', DRAIN_WINDOW_SECONDS: '5' });
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(there, 'room', 'bob');
  if (how === 'killed') await redis.kill();
  else redis.freeze();
  await degraded(here);
  alice.say();
  await allHeard([alice], saidBy([alice]));
  expect(await here.stop()).toEqual({ code: 0, signal: null });
  expect((await alice.client.closed).code).toBe(1012);
  expect(here.output()).toContain('"stopped"');
  // At once, without having noticed that Redis is away.
  expect(await there.stop()).toEqual({ code: 0, signal: null });
  expect((await bob.client.closed).code).toBe(1012);
});
