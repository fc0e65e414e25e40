import { expect, onTestFinished } from 'vitest';
import type { Platform } from '../../src/client/client.ts';
import { eventually } from '../faults/world.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import type { Notes } from './notes.ts';
import { Person, type PersonOptions } from './person.ts';

/** Fewer than the client lets wait for their ack: nothing is refused because of the test's own haste. */
const MOST_WAITING = 50;

/** Anything with an address for clients: a pod, HAProxy. */
interface Place {
  readonly wsUrl: string;
}

/** Somebody who has joined the room and stays until the test ends. */
export async function personAt({ wsUrl }: Place, name: string, options: PersonOptions = {}): Promise<Person> {
  const person = new Person(name, wsUrl, options);
  onTestFinished(() => person.client.close());
  await person.room.join();
  return person;
}

/** A network that ends with the test. */
export async function proxyTo(port: number | string): Promise<Proxy & Place> {
  const proxy = await startProxy(Number(port));
  onTestFinished(() => proxy.stop());
  return { ...proxy, wsUrl: `ws://127.0.0.1:${proxy.port}` };
}

/**
 * A machine whose dice fall low, so that a client that comes back time and again need not wait half a minute at last;
 * the first two make its refs, which must differ.
 */
export function hasty(): Partial<Platform> {
  let drawn = 0;
  return { random: () => ((drawn += 1) <= 2 ? Math.random() : 0.01) };
}

/** Everybody speaks all the time, also while their line is down, until it is stopped. */
export function startTalk(speakers: readonly Person[], everyMs = 20): { stop: () => void } {
  const timer = setInterval(() => {
    for (const one of speakers) if (one.waiting < MOST_WAITING) void one.say();
  }, everyMs);
  const stop = (): void => clearInterval(timer);
  onTestFinished(stop);
  return { stop };
}

/** Waits until everybody has heard so many more of everybody than now. */
export async function moreTalk(
  people: readonly Person[],
  speakers: readonly Person[],
  count = 20,
): Promise<void> {
  const goal = new Map(speakers.map((one) => [one.name, one.said + count]));
  for (const person of people) {
    const lasts = (): number[] => speakers.map(({ name }) => person.numbersOf(name).at(-1) ?? 0);
    await eventually(
      `${person.name} to hear more`,
      () => speakers.every(({ name }) => (person.numbersOf(name).at(-1) ?? 0) >= (goal.get(name) ?? 0)),
      () => `had ${lasts().join()} of ${[...goal.values()].join()}, was ${person.states.join()}`,
    );
  }
}

/** Waits until every send of these has come to an end. */
export async function allSettled(speakers: readonly Notes[]): Promise<void> {
  for (const one of speakers) {
    await eventually(
      `an answer to all that ${one.name} said`,
      () => one.waiting === 0,
      () => `${one.waiting} of ${one.said} wait, it was ${one.states.join()}`,
    );
  }
}

/** Everybody says one more, and everybody has heard it: whatever was on its way before has come. */
export async function lastWords(people: readonly Notes[], speakers: readonly Person[]): Promise<void> {
  await allSettled(speakers);
  await Promise.all(speakers.map((one) => one.say()));
  for (const person of people) {
    await eventually(
      `${person.name} to hear the last of everybody`,
      () => speakers.every(({ name, said }) => person.numbersOf(name).includes(said)),
      () => `it was ${person.states.join()}, told ${person.gaps.join()}`,
    );
  }
}

/** What was acked was heard by everybody once and in its speaker's order; what was refused by nobody. */
export function expectAllOnceInOrder(people: readonly Notes[], speakers: readonly Notes[]): void {
  for (const person of people) {
    for (const { name, acked } of speakers) {
      const expected = [...acked.keys()].toSorted((a, b) => a - b);
      expect(person.numbersOf(name), `what ${person.name} heard of ${name}`).toEqual(expected);
    }
  }
}

/** Everybody knows a message of these by the id that its sender was given; but for one that had none when it came. */
export function expectOneId(people: readonly Notes[], speakers: readonly Notes[]): void {
  const ids = speakers.flatMap(({ acked }) => [...acked.values()]);
  expect(new Set(ids).size, 'distinct ids').toBe(ids.length);
  const idOf = new Map(
    speakers.flatMap(({ name, acked }) => [...acked].map(([n, id]) => [`${name} ${n}`, id])),
  );
  for (const { name, heard } of people) {
    const theirs = heard.filter((one) => speakers.some((speaker) => speaker.name === one.by));
    const wrong = theirs.filter((one) => !one.provisional && idOf.get(`${one.by} ${one.n}`) !== one.id);
    expect(wrong, `ids that ${name} heard`).toEqual([]);
  }
}

/** All of it, for a fault that loses nothing; `people` were there all the time. */
export async function expectNothingLost(
  people: readonly Person[],
  speakers: readonly Person[],
): Promise<void> {
  await lastWords(people, speakers);
  for (const { name, refused } of speakers) expect(refused, `refused to ${name}`).toEqual(new Map());
  expectAllOnceInOrder(people, speakers);
  expectOneId(people, speakers);
  for (const { name, gaps } of people) expect(gaps, `told to ${name}`).toEqual([]);
}

/** Waits until each of them has exactly these in its list of members. */
export async function membersAre(people: readonly Person[], names: readonly string[]): Promise<void> {
  const expected = names.toSorted().join();
  for (const person of people) {
    await eventually(
      `${person.name} to know the members ${expected}`,
      () => person.members.join() === expected && person.room.count === names.length,
      () => `it knew ${person.members.join()} and counted ${person.room.count}`,
    );
  }
}
