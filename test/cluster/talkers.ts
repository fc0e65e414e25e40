import { expect } from 'vitest';
import { type Crowd, expectQuietPresence, gather, type Participant } from '../client-faults/crowd.ts';
import { WS_URL } from './cluster.ts';
import { atRest } from './release.ts';
import { saw } from './report.ts';

interface Talk {
  readonly rooms?: number;
  readonly perRoom?: number;
  /** Each says something so often, in milliseconds. */
  readonly everyMs?: number;
  /** `told`: who is away for longer than the grace is announced as gone, rightly. */
  readonly presence?: 'quiet' | 'told';
}

/**
 * 200 people with the client, in rooms of ten, exchange numbered messages while `fault` happens and until all pods are
 * well again. Then everybody has everything once and in its speaker's order, none was told of a gap, and nobody saw
 * anybody come or go. One row of the report says how many connections ended, and how.
 */
export async function talkThrough(
  what: string,
  fault: (crowd: Crowd) => Promise<unknown>,
  { rooms = 20, perRoom = 10, everyMs = 4_000, presence = 'quiet' }: Talk = {},
): Promise<void> {
  await atRest();
  const crowd = await gather(WS_URL, rooms, perRoom);
  crowd.forgetPresence();
  const talk = crowd.startTalk(everyMs);
  await fault(crowd);
  await atRest();
  talk.stop();
  await crowd.expectNothingLost();
  if (presence === 'quiet') expectQuietPresence(crowd);
  const heard = crowd.people.reduce((sum, { heard: messages }) => sum + messages.length, 0);
  expect(heard).toBeGreaterThan(0);
  const told = crowd.people.reduce((sum, one) => sum + one.told.length, 0);
  const frames = told === 0 ? 'presence quiet' : `${told} told of presence`;
  saw(what, `0 lost, 0 repeated of ${heard} deliveries, ${frames}; closes ${closesOf(crowd)}`);
  for (const { client } of crowd.people) client.close();
}

/** How often each code ended a connection, as in `1012 × 66`. */
function closesOf({ people }: Crowd): string {
  return counted(people.flatMap(({ ends }: Participant) => ends.map(({ code }) => code)));
}

/** How many people had to move how often, as in `0 × 20, 1 × 180`. */
export function movesOf({ people }: Crowd): string {
  return counted(people.map(({ returns }) => returns.length));
}

function counted(values: readonly number[]): string {
  const counts = [...Map.groupBy(values, (value) => value)].map(([value, all]) => `${value} × ${all.length}`);
  return counts.length === 0 ? 'none' : counts.toSorted().join(', ');
}
