import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { degraded, eventually, podsOn, ready, redisOf, SLOW } from './world.ts';
import { expectEverythingOnce, startTalk } from './judge.ts';
import { natsOf } from '../engines/nats/world.ts';
import { Witness } from './witness.ts';

const ENGINES = { Redis: redisOf, NATS: natsOf };
/**
 * Longer than a pod waits for an answer. In the shorter of these times a part of what it asked meanwhile comes too late
 * to be carried out, and the rest does not.
 */
const CASES = [
  ['Redis', 2_600],
  ['Redis', 3_000],
  ['Redis', 4_000],
  ['NATS', 2_600],
  ['NATS', 4_000],
] as const;

async function moreTalk(listener: Witness): Promise<void> {
  const before = listener.heard().length;
  await eventually('more talk', () => listener.heard().length > before + 100);
}

test.for(CASES)(
  '%s frozen under load for %i ms: nobody misses anything or has it twice',
  SLOW,
  async ([name, ms]) => {
    const engine = await ENGINES[name]();
    const [here, there] = await podsOn(engine);
    const speakers = [
      await Witness.join(here, 'room', 'alice'),
      await Witness.join(here, 'room', 'bob'),
      await Witness.join(there, 'room', 'carol'),
      await Witness.join(there, 'room', 'dora'),
    ];
    // Without a ref nothing but the pod itself keeps it from being published twice.
    for (const one of speakers.slice(1, 3)) one.wantsAcks = false;
    const quiet = await Witness.join(there, 'room', 'quiet');
    const talk = startTalk(speakers);
    await moreTalk(quiet);
    engine.freeze();
    const since = Date.now();
    await degraded(here, there);
    // The time is the fault itself.
    await sleep(Math.max(0, ms - (Date.now() - since)));
    engine.thaw();
    await ready(here, there);
    await moreTalk(quiet);
    talk.stop();
    await expectEverythingOnce([...speakers, quiet], speakers);
    for (const one of [...speakers, quiet]) expect(one.losses()).toEqual([]);
  },
);
