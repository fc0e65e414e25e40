import { expect, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import { eventually, get, podsOn, redisOf, SLOW } from '../faults/world.ts';
import type { Proxy } from '../support/proxy.ts';
import type { Person } from './person.ts';
import { allSettled, expectNothingLost, moreTalk, personAt, proxyTo, startTalk } from './world.ts';

const SETTINGS = { HEARTBEAT_SECONDS: '2', HEARTBEAT_TIMEOUT_SECONDS: '60' };

interface Cast {
  readonly here: PodProcess;
  /** On a pod of his own, with a network that is well. */
  readonly bob: Person;
  /** On the other pod, which has nobody else. */
  readonly ann: Person;
  /** Before it. */
  readonly network: Proxy;
  /** From now on who comes goes around the network. */
  readonly detour: () => void;
}

/** Two who talk, and a network that can fall silent between ann and her pod. */
async function startCast(env: Readonly<Record<string, string>> = {}): Promise<Cast> {
  const [here, there] = await podsOn(await redisOf(), { ...SETTINGS, ...env });
  const network = await proxyTo(here.ports.PORT);
  const door = await proxyTo(network.port);
  const [ann, bob] = [await personAt(door, 'ann'), await personAt(there, 'bob')];
  return { here, bob, ann, network, detour: () => door.leadTo(Number(here.ports.PORT)) };
}

async function connectionsAre(pod: PodProcess, count: number): Promise<void> {
  let found: unknown;
  const isSo = async (): Promise<boolean> => {
    found = (await get(pod, '/ws/stats')).body['connections'];
    return found === count;
  };
  await eventually(`${count} connections`, isSo, () => `there were ${String(found)}`);
}

test(
  'a client notices that its line is dead; what it said into it arrives late, and once',
  SLOW,
  async () => {
    const { here, ann, bob, network, detour } = await startCast();
    const people = [ann, bob];
    const talk = startTalk(people);
    await moreTalk(people, people);
    detour();
    const before = ann.said;
    network.silence();
    await eventually('a new connection', () => ann.states.length === 3);
    await moreTalk(people, people);
    talk.stop();
    await allSettled(people);
    expect(ann.said).toBeGreaterThan(before);
    // The pod does not know yet that the old connection is over.
    await connectionsAre(here, 2);
    network.resume();
    // Its end comes after all that was said into it.
    await connectionsAre(here, 1);
    await expectNothingLost(people, people);
    expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
    expect(bob.states).toEqual(['connected']);
  },
);

test('publishes whose acks are lost are sent again, and arrive once', SLOW, async () => {
  const { ann, bob, network, detour } = await startCast();
  const people = [ann, bob];
  const talk = startTalk(people);
  await moreTalk(people, people);
  detour();
  network.silence('to-client');
  const acked = ann.acked.size;
  // Bob is told what ann does not know to have arrived.
  await eventually('it to arrive', () => bob.numbersOf('ann').length > acked + 10);
  await eventually('a new connection', () => ann.states.length === 3);
  network.resume();
  await moreTalk(people, people);
  talk.stop();
  await expectNothingLost(people, people);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
});

test('a client that hears but is not heard is closed by the pod, and loses nothing', SLOW, async () => {
  const { ann, bob, network, detour } = await startCast({ HEARTBEAT_TIMEOUT_SECONDS: '4' });
  const people = [ann, bob];
  const talk = startTalk(people);
  await moreTalk(people, people);
  detour();
  network.silence('to-server');
  const last = bob.numbersOf('ann').length;
  await eventually('a new connection', () => ann.states.length === 3);
  network.resume();
  await moreTalk(people, people);
  talk.stop();
  await expectNothingLost(people, people);
  expect(bob.numbersOf('ann').length).toBeGreaterThan(last);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
});

test('a network that is silent for everybody for a while loses nothing', SLOW, async () => {
  const { ann, bob, network } = await startCast();
  const people = [ann, bob];
  const talk = startTalk(people);
  await moreTalk(people, people);
  network.silence();
  await eventually('ann to notice', () => ann.client.state === 'reconnecting');
  await moreTalk([bob], [bob], 100);
  network.resume();
  await moreTalk(people, people);
  talk.stop();
  await expectNothingLost(people, people);
  expect(ann.states).toEqual(['connected', 'reconnecting', 'connected']);
});
