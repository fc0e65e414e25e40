import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { PodProcess } from '../support/stack/pods.ts';
import type { RedisGroup } from '../support/stack/redis-group.ts';
import { eventually, groupOf, podOn, ready, SLOW } from '../faults/world.ts';
import { Crowd, Participant } from './crowd.ts';
import { allSettled, lastWords, moreTalk, proxyTo } from './world.ts';
import type { Person } from './person.ts';

const PEOPLE = 60;
const ROOMS = 3;
/** Each says something so often. */
const EVERY_MS = 300;
/** A busy master: no pod waits any more when it goes on, and it does what it was asked all the same. */
const STILL_MS = 2_450;

/** Three pods behind a door each, and people at each door, in rooms that are on all pods. */
async function startCrowd(group: RedisGroup) {
  const pods = [await drainable(group), await drainable(group), await drainable(group)] as const;
  const doors = await Promise.all(pods.map((pod) => proxyTo(pod.ports.PORT)));
  const people = Array.from({ length: PEOPLE }, (_, index) => {
    const door = doors[index % pods.length]?.wsUrl ?? '';
    return new Participant(`p${index}`, door, `room-${Math.floor(index / pods.length) % ROOMS}`);
  });
  onTestFinished(() => people.forEach(({ client }) => client.close()));
  await Promise.all(people.map(({ room }) => room.join()));
  return { pods, doors, crowd: new Crowd(people) };
}

function drainable(group: RedisGroup): Promise<PodProcess> {
  return podOn(group, { DRAIN_WINDOW_SECONDS: '3' });
}

/** The master is replaced, after it stood still: answers come late, and what it was asked is done. */
async function replaceBusy(group: RedisGroup): Promise<void> {
  const old = await group.master();
  old.freeze();
  await pause(STILL_MS);
  old.thaw();
  await pause(100);
  await old.stop();
  await group.masterOtherThan(old);
}

/** What a listener had of a speaker that breaks a promise. */
function brokenFor(listener: Person, speaker: Person): string[] {
  const had = new Set<number>();
  let kept = 0;
  const faults: string[] = [];
  for (const { n, id, provisional } of listener.heard.filter(({ by }) => by === speaker.name)) {
    const what = `${listener.name} heard ${speaker.name} ${n} as ${id}`;
    if (had.has(n)) faults.push(`${what}, again`);
    // "Messages that were provisional may stand in another order": one of the two was, for this listener.
    else if (!provisional && n < kept) faults.push(`${what}, after ${kept}`);
    had.add(n);
    if (!provisional) kept = Math.max(n, kept);
  }
  const lost = [...speaker.acked.keys()].filter((n) => !had.has(n));
  return [
    ...faults,
    ...lost.map((n) => `${listener.name} never heard ${speaker.name} ${n}, which was acked`),
  ];
}

test('a node is drained that has a busy Redis master and two of three pods', SLOW, async () => {
  const group = await groupOf();
  const { pods, doors, crowd } = await startCrowd(group);
  const [first, second, third] = pods;
  const talk = crowd.startTalk(EVERY_MS);
  const [some] = crowd.rooms.values();
  await moreTalk(some ?? [], some ?? [], 3);
  for (const door of doors) door.leadTo(Number(third.ports.PORT));
  const [, ...exits] = await Promise.all([replaceBusy(group), first.stop(), second.stop()]);
  for (const exit of exits) expect(exit).toEqual({ code: 0, signal: null });
  await ready(third);
  await eventually('everybody to be connected', () =>
    crowd.people.every(({ client }) => client.state === 'connected'),
  );
  talk.stop();
  await allSettled(crowd.people);
  for (const people of crowd.rooms.values()) await lastWords(people, people);
  const broken = [...crowd.rooms.values()].flatMap((people) =>
    people.flatMap((listener) => people.flatMap((speaker) => brokenFor(listener, speaker))),
  );
  expect(broken.slice(0, 20), `of ${broken.length}`).toEqual([]);
});
