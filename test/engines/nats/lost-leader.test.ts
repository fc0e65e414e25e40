import { eventually, podsOn, ready, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { expectEverythingOnce, startTalk } from '../../faults/judge.ts';
import { clusterOf } from './world.ts';
import { Witness } from '../../faults/witness.ts';

const STREAM = 'realtime-history';

test(
  'The leader of the history killed under load: no message is lost, duplicated or out of order',
  SLOW,
  async () => {
    const cluster = await clusterOf();
    const [here, there] = await podsOn(cluster);
    await ready(here, there);
    const speakers = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(here, 'room', 'bob'),
      await Witness.join(there, 'room', 'carol'),
    ];
    for (const one of speakers.slice(1, 2)) one.wantsAcks = false;
    const quiet = await Witness.join(there, 'room', 'quiet');
    const talk = startTalk(speakers, 20);
    await eventually('some talk', () => quiet.heard().length > 100);
    const leader = await cluster.leaderOf(STREAM);
    await leader.kill();
    const next = await cluster.leaderOf(STREAM);
    expect(next.name).not.toBe(leader.name);
    await ready(here, there);
    const after = quiet.heard().length;
    await eventually('more talk', () => quiet.heard().length > after + 100);
    await leader.start();
    talk.stop();
    await expectEverythingOnce([...speakers, quiet], speakers);
    for (const one of [...speakers, quiet]) expect(one.losses()).toEqual([]);
  },
);
