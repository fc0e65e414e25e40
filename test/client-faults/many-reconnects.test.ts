import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFailed, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { eventually, podsOn, redisOf, SLOW } from '../faults/world.ts';
import { Random, SEED } from '../hostile/random.ts';
import type { Proxy } from '../support/proxy.ts';
import type { Person } from './person.ts';
import { allSettled, expectNothingLost, hasty, personAt, proxyTo } from './world.ts';

const TOTAL = 1_000;
const BREAKS = 10;
const MOST_WAITING = 50;

/** At how many acks the line breaks, each time; far enough apart that all of them meet messages on their way. */
function breakingPoints(random: Random): number[] {
  const share = TOTAL / BREAKS;
  return Array.from({ length: BREAKS }, (_, index) => index * share + random.int(1, share - 1));
}

/** Says numbers as fast as they are acked, up to this one; but never so many that they might be refused. */
async function sayUpTo(person: Person, last: number): Promise<void> {
  while (person.said < last) {
    if (person.waiting < MOST_WAITING) void person.say();
    else await sleep(1);
  }
}

interface Cast {
  readonly pods: readonly [PodProcess, PodProcess];
  readonly publisher: Person;
  /** What the publisher comes through. */
  readonly line: Proxy;
}

/** Breaks the line; the publisher comes back to the other pod. Its old one is killed in the middle of it all. */
async function breakLine({ pods, line, publisher }: Cast, turn: number): Promise<void> {
  const [old, next] = turn % 2 === 0 ? pods : ([pods[1], pods[0]] as const);
  const lost = publisher.states.length + 1;
  line.leadTo(Number(next.ports.PORT));
  if (turn === BREAKS / 2) await old.kill();
  else line.breakAll();
  await eventually('the line to be lost', () => publisher.states.length >= lost);
  if (turn === BREAKS / 2) await old.start();
}

test(
  'a thousand publishes over a line that breaks ten times, to and fro between two pods',
  SLOW,
  async () => {
    onTestFailed(() => console.log(`HOSTILE_SEED=${SEED}`));
    const random = Random.of(SEED, 0);
    const pods = await podsOn(await redisOf());
    const line = await proxyTo(pods[0].ports.PORT);
    const publisher = await personAt(line, 'publisher', { platform: hasty() });
    const members = [
      await personAt(pods[0], 'here', { platform: hasty() }),
      await personAt(pods[1], 'there', { platform: hasty() }),
    ];
    const cast = { pods, line, publisher };
    for (const [turn, point] of breakingPoints(random).entries()) {
      const saying = sayUpTo(publisher, Math.min(TOTAL, point + MOST_WAITING));
      await eventually(`${point} acks`, () => publisher.acked.size >= point);
      // So that the line breaks at another moment each time.
      await sleep(random.int(0, 5));
      await breakLine(cast, turn);
      await saying;
      await eventually('the line to be up', () => publisher.client.state === 'connected');
    }
    await sayUpTo(publisher, TOTAL);
    await allSettled([publisher]);
    expect(publisher.acked.size).toBe(TOTAL);
    await expectNothingLost([publisher, ...members], [publisher]);
    expect(publisher.states.filter((state) => state === 'reconnecting')).toHaveLength(BREAKS);
    expect(members.map(({ states }) => states.at(-1))).toEqual(['connected', 'connected']);
  },
);
