import { expect, onTestFinished, test } from 'vitest';
import type { Exit } from '../support/stack/part.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { startStack } from '../support/stack/stack.ts';
import { eventually, get, presenceIs, SLOW } from '../faults/world.ts';
import { freePort } from '../support/ports.ts';
import type { Person } from './person.ts';
import { expectNothingLost, membersAre, moreTalk, personAt, proxyTo, startTalk } from './world.ts';

const SETTINGS = {
  HISTORY_SIZE: '10000',
  // Who was on a dead pod and does not return is soon gone.
  POD_LEASE_SECONDS: '2',
  PRESENCE_TTL_SECONDS: '10',
  PRESENCE_GRACE_SECONDS: '1',
  // A drain that a test can wait for.
  DRAIN_DELAY_SECONDS: '0',
  DRAIN_WINDOW_SECONDS: '2',
};

interface Cast {
  readonly doomed: PodProcess;
  readonly other: PodProcess;
  /** On the doomed pod, and come back through HAProxy. How long ann is away is up to the test. */
  readonly ann: Person;
  readonly eve: Person;
  /** From now on ann finds nobody. */
  lockAnnOut(): Promise<void>;
  letAnnIn(): void;
  /** On the doomed pod, and will not come back. */
  readonly dora: Person;
  /** On the other pod: bob stays, carl will leave. */
  readonly bob: Person;
  readonly carl: Person;
}

/** Two pods behind HAProxy, and people on both. */
async function startCast(): Promise<Cast> {
  const stack = await startStack({ pods: 2, env: SETTINGS });
  onTestFinished(() => stack.stop());
  const { pods, haproxy } = stack;
  if (haproxy === undefined) throw new Error('there is no HAProxy');
  const door = await proxyTo(haproxy.port);
  const ann = await personAt(door, 'ann');
  const [doomed, other] = await doomedFirst(pods);
  // HAProxy alone would put eve on the other pod, for balance.
  const way = await proxyTo(doomed.ports.PORT);
  const eve = await personAt(way, 'eve');
  way.leadTo(haproxy.port);
  const [bob, carl] = [await personAt(other, 'bob'), await personAt(other, 'carl')];
  const dora = await personAt(doomed, 'dora');
  await membersAre([ann, bob, carl, dora, eve], ['ann', 'bob', 'carl', 'dora', 'eve']);
  const lockAnnOut = async (): Promise<void> => door.leadTo(await freePort());
  const letAnnIn = (): void => door.leadTo(haproxy.port);
  return { doomed, other, ann, bob, carl, dora, eve, lockAnnOut, letAnnIn };
}

/** The pod with the only client, then the one without. */
async function doomedFirst([one, two]: readonly PodProcess[]): Promise<[PodProcess, PodProcess]> {
  if (one === undefined || two === undefined) throw new Error('there are not two pods');
  return (await connectionsOf(one)) === 1 ? [one, two] : [two, one];
}

async function connectionsOf(pod: PodProcess): Promise<unknown> {
  return (await get(pod, '/ws/stats')).body['connections'];
}

/** The pod goes; while ann is away somebody leaves and somebody comes. */
async function losePod(cast: Cast, lose: (pod: PodProcess) => Promise<Exit>): Promise<Person> {
  const { ann, bob, carl, dora, doomed, other } = cast;
  await cast.lockAnnOut();
  const end = lose(doomed);
  await eventually('ann to be cut off', () => ann.states.includes('reconnecting'));
  dora.client.close();
  carl.room.leave();
  const fred = await personAt(other, 'fred');
  await eventually('bob to know', () => bob.members.includes('fred') && !bob.members.includes('carl'));
  await end;
  cast.letAnnIn();
  return fred;
}

test.each([
  ['killed', (pod: PodProcess) => pod.kill(), [1006]],
  // With a drain it is 1012, without one the server just says that it goes.
  ['stopped', (pod: PodProcess) => pod.stop(), [1001, 1012]],
])('a pod is %s under its clients, who talk', SLOW, async (_, lose, codes) => {
  const cast = await startCast();
  const { ann, bob, carl, eve, doomed, other } = cast;
  const stayers = [ann, bob, eve];
  const talk = startTalk(stayers);
  await moreTalk([...stayers, carl], stayers);
  const fred = await losePod(cast, lose);
  expect(doomed.state).toBe('ended');
  await moreTalk(stayers, stayers);
  talk.stop();
  await expectNothingLost(stayers, stayers);
  for (const one of [ann, eve]) expect(one.states).toEqual(['connected', 'reconnecting', 'connected']);
  for (const one of [ann, eve]) expect(codes).toContain(one.ends[0]?.code);
  for (const one of [bob, fred]) expect(one.states).toEqual(['connected']);
  await membersAre([...stayers, fred], ['ann', 'bob', 'eve', 'fred']);
  await presenceIs([other], 'room', ['ann', 'bob', 'eve', 'fred']);
});
