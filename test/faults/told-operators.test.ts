import { expect, test } from 'vitest';
import { metric } from '../many-pods/world.ts';
import { allHeard, saidBy } from './judge.ts';
import { eventually, podsOn, redisOf, SLOW } from './world.ts';
import { Witness } from './witness.ts';

const WARNING = 'the history of a room went back or lost messages';

test(
  'a history that is lost is counted once for each room and pod, and the log says so without repeating itself',
  SLOW,
  async () => {
    const redis = await redisOf();
    const [here, there] = await podsOn(redis);
    const rooms = ['one', 'two', 'three'];
    const alices = await Promise.all(rooms.map((room) => Witness.join(here, room, 'alice')));
    const bob = await Witness.join(there, 'one', 'bob');
    for (const alice of alices) alice.say();
    await allHeard([bob], new Map([['alice', 1]]));
    for (const alice of alices) await allHeard([alice], saidBy([alice]));
    for (const pod of [here, there]) expect(await metric(pod, 'realtime_history_lost')).toBe(0);
    await redis.command('FLUSHALL');
    for (const alice of alices) alice.say();
    for (const one of [...alices, bob])
      await eventually('the word of it', () => one.losses().includes('history_lost'));
    expect(await metric(here, 'realtime_history_lost')).toBe(3);
    expect(await metric(there, 'realtime_history_lost')).toBe(1);
    for (const pod of [here, there]) expect(pod.output().split(WARNING)).toHaveLength(2);
  },
);
