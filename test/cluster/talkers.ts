import { expect } from 'vitest';
import { type Crowd, expectQuietPresence, gather, type Participant } from '../client-faults/crowd.ts';
import { WS_URL } from './cluster.ts';
import { atRest } from './release.ts';
import { saw } from './report.ts';

const ROOMS = 20;
const PER_ROOM = 10;
/** Each says something so often. */
const EVERY_MS = 4_000;

/**
 * 200 people with the client, in rooms of ten, exchange numbered messages while `fault` happens and until all pods are
 * well again. Then everybody has everything once and in its speaker's order, none was told of a gap, and nobody saw
 * anybody come or go. One row of the report says how many connections ended, and how.
 */
export async function talkThrough(what: string, fault: () => Promise<void>): Promise<void> {
  await atRest();
  const crowd = await gather(WS_URL, ROOMS, PER_ROOM);
  crowd.forgetPresence();
  const talk = crowd.startTalk(EVERY_MS);
  await fault();
  await atRest();
  talk.stop();
  await crowd.expectNothingLost();
  expectQuietPresence(crowd);
  const heard = crowd.people.reduce((sum, { heard: messages }) => sum + messages.length, 0);
  expect(heard).toBeGreaterThan(0);
  saw(what, `0 lost, 0 repeated of ${heard} deliveries, presence quiet; closes ${closesOf(crowd)}`);
  for (const { client } of crowd.people) client.close();
}

/** How often each code ended a connection, as in `1012 × 66`. */
function closesOf({ people }: Crowd): string {
  const codes = people.flatMap(({ ends }: Participant) => ends.map(({ code }) => code));
  const counts = [...Map.groupBy(codes, (code) => code)].map(([code, all]) => `${code} × ${all.length}`);
  return counts.length === 0 ? 'none' : counts.toSorted().join(', ');
}
