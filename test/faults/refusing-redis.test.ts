import { expect, test } from 'vitest';
import { allAcked, allHeard, expectEverythingOnce, expectNoRepeat, saidBy, startTalk } from './judge.ts';
import { degraded, eventually, podsOn, presenceIs, ready, redisOf, SLOW } from './world.ts';
import { Witness } from './witness.ts';

const REFUSALS = [
  { why: 'is out of memory', begin: ['maxmemory', '1mb'], end: ['maxmemory', '0'] },
  {
    why: 'misses its replicas',
    begin: ['min-replicas-to-write', '1'],
    end: ['min-replicas-to-write', '0'],
  },
] as const;

test.for(REFUSALS)(
  'a Redis that $why under load is away until it takes writes again',
  SLOW,
  async (refusal) => {
    const redis = await redisOf('maxmemory-policy noeviction');
    const [here, there] = await podsOn(redis);
    const speakers = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(here, 'room', 'bob'),
      await Witness.join(there, 'room', 'carol'),
    ];
    const quiet = await Witness.join(there, 'room', 'quiet');
    const talk = startTalk(speakers);
    await eventually('some talk', () => quiet.heard().length > 100);
    await redis.command('CONFIG', 'SET', ...refusal.begin);
    await degraded(here, there);
    const late = await Witness.join(there, 'room', 'late');
    expect(late.losses()).toEqual(['unavailable']);
    const before = quiet.heard().length;
    await eventually('talk on the own pod', () => quiet.heard().length > before + 50);
    await redis.command('CONFIG', 'SET', ...refusal.end);
    await ready(here, there);
    const after = quiet.heard().length;
    await eventually('more talk', () => quiet.heard().length > after + 100);
    talk.stop();
    await expectEverythingOnce([...speakers, quiet], speakers);
    for (const one of [...speakers, quiet]) expect(one.losses()).toEqual([]);
    expect(await late.verdict()).toMatchObject({ recovered: true });
    const last = saidBy(speakers);
    await eventually('the latest', () =>
      [...last].every(([by, n]) => late.heard().some((one) => one.by === by && one.n === n)),
    );
    expectNoRepeat([late]);
    expectWithoutGaps(late);
    await presenceIs([here, there], 'room', ['alice', 'bob', 'carol', 'quiet', 'late']);
  },
);

/** From the first number that it heard of a speaker on it has every one. */
function expectWithoutGaps(witness: Witness): void {
  for (const [by, heard] of Map.groupBy(witness.heard(), (one) => one.by)) {
    const numbers = heard.map(({ n }) => n).toSorted((a, b) => a - b);
    const [first = 0] = numbers;
    expect(numbers, `of ${by}`).toEqual(numbers.map((_, index) => first + index));
  }
}

test('a Redis that is emptied: what was lost is told, and presence comes back', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const alice = await Witness.join(here, 'room', 'alice');
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  const absent = await Witness.join(there, 'room', 'absent');
  alice.say();
  await allHeard([alice, bob, carol, absent], saidBy([alice]));
  await absent.leave();
  await presenceIs([here, there], 'room', ['alice', 'bob', 'carol']);
  await redis.command('FLUSHALL');
  await presenceIs([here, there], 'room', ['alice', 'bob', 'carol']);
  await absent.return(there);
  expect(await absent.verdict()).toMatchObject({ recovered: false, reason: 'history_lost' });
  alice.say();
  await allHeard([alice, bob, carol, absent], saidBy([alice]));
  await allAcked([alice]);
  for (const one of [alice, bob, carol]) expect(one.losses()).toEqual(['history_lost']);
  // It may be told again with the others of its room.
  expect(new Set(absent.losses())).toEqual(new Set(['history_lost']));
  expectNoRepeat([alice, bob, carol, absent]);
});

test('a Redis that is emptied under load', SLOW, async () => {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const speakers = [await Witness.join(here, 'room', 'alice'), await Witness.join(there, 'room', 'carol')];
  const quiet = await Witness.join(there, 'room', 'quiet');
  const talk = startTalk(speakers, 2);
  await eventually('some talk', () => quiet.heard().length > 200);
  await redis.command('FLUSHALL');
  const after = quiet.heard().length;
  await eventually('more talk', () => quiet.heard().length > after + 200);
  const said = talk.stop();
  await allAcked(speakers);
  await allHeard([...speakers, quiet], said);
  expectNoRepeat([...speakers, quiet]);
  for (const one of [...speakers, quiet]) expect(one.losses()).toEqual(['history_lost']);
  await presenceIs([here, there], 'room', ['alice', 'carol', 'quiet']);
});
