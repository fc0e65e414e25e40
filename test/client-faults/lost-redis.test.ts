import { expect, test } from 'vitest';
import { degraded, eventually, podOn, podsOn, ready, redisOf, SLOW } from '../faults/world.ts';
import { freePort } from '../support/ports.ts';
import type { Person } from './person.ts';
import {
  allSettled,
  expectAllOnceInOrder,
  expectOneId,
  hasty,
  lastWords,
  moreTalk,
  personAt,
  proxyTo,
  startTalk,
} from './world.ts';

/** Every speaker's numbers rise: nothing came twice, nothing out of turn; there may be holes. */
function expectRising(person: Person, speakers: readonly Person[]): void {
  for (const { name } of speakers) {
    const heard = person.numbersOf(name);
    const rising = [...new Set(heard)].toSorted((a, b) => a - b);
    expect(heard, `what ${person.name} heard of ${name}`).toEqual(rising);
  }
}

/** Five in one room on two pods; two of them come through networks that can break. */
async function startCast() {
  const redis = await redisOf();
  const [here, there] = await podsOn(redis);
  const door = await proxyTo(here.ports.PORT);
  const shaky = await proxyTo(here.ports.PORT);
  const [ann, bob] = [await personAt(here, 'ann'), await personAt(there, 'bob')];
  const quiet = await personAt(there, 'quiet');
  const away = await personAt(door, 'away', { platform: hasty() });
  const flaky = await personAt(shaky, 'flaky', { platform: hasty() });
  return { redis, here, there, door, shaky, ann, bob, quiet, away, flaky };
}

/** So much more and no more: what is said while Redis is away waits for it, and nobody lets much wait. */
async function says(speaker: Person, people: readonly Person[]): Promise<void> {
  const heard = moreTalk(people, [speaker], 5);
  for (let n = 0; n < 5; n += 1) void speaker.say();
  await heard;
}

/**
 * One is away all the time that Redis is, another one loses its line and comes back while Redis is away. Everybody
 * talks when it begins.
 */
async function outage(cast: Awaited<ReturnType<typeof startCast>>): Promise<void> {
  const { redis, here, there, door, shaky, ann, bob, quiet, away, flaky } = cast;
  const talk = startTalk([ann, bob, away, flaky]);
  await moreTalk([ann, bob, quiet, flaky, away], [ann, bob, away, flaky]);
  door.leadTo(await freePort());
  door.breakAll();
  await eventually('one to be away', () => away.client.state === 'reconnecting');
  await redis.kill();
  talk.stop();
  await degraded(here, there);
  await says(ann, [flaky]);
  shaky.breakAll();
  await eventually('a return meanwhile', () => flaky.states.length === 3);
  await says(ann, [ann, flaky]);
  await says(bob, [bob, quiet]);
  await redis.start();
  await ready(here, there);
  door.leadTo(Number(here.ports.PORT));
}

test('Redis dies and comes back empty: members miss nothing and hear of the lost history', SLOW, async () => {
  const cast = await startCast();
  const { there, ann, bob, quiet, away, flaky } = cast;
  const stayers = [ann, bob, quiet, flaky];
  const speakers = [ann, bob, away, flaky];
  await outage(cast);
  const talk = startTalk(speakers);
  await moreTalk([...stayers, away], speakers);
  talk.stop();
  await lastWords([...stayers, away], speakers);
  for (const { name, refused } of speakers) expect(refused, `refused to ${name}`).toEqual(new Map());
  expectAllOnceInOrder(stayers, speakers);
  expectRising(away, speakers);
  expectOneId([...stayers, away], speakers);
  const late = await personAt(there, 'late');
  const lost = ['history_lost'];
  for (const { name, gaps } of [ann, bob, quiet]) expect(gaps, `told to ${name}`).toEqual(lost);
  // When it came back nobody could read the history yet.
  expect(flaky.gaps).toEqual(['unavailable', ...lost]);
  // Once for itself, and again with everybody if it came before the pod had told the room.
  expect(new Set(away.gaps)).toEqual(new Set(['history_lost']));
  expect(late.gaps).toEqual([]);
  expect(quiet.states).toEqual(['connected']);
});

test(
  'sends that a pod cannot hold without Redis are refused, the others arrive, none hangs',
  SLOW,
  async () => {
    const redis = await redisOf();
    const [here, there] = await podsOn(redis, { PUBLISH_BUFFER_MESSAGES: '5' });
    const ann = await personAt(here, 'ann');
    const shaky = await proxyTo(here.ports.PORT);
    const flaky = await personAt(shaky, 'flaky', { platform: hasty() });
    const bob = await personAt(there, 'bob');
    await redis.kill();
    await degraded(here, there);
    for (let n = 1; n <= 20; n += 1) void ann.say();
    await eventually('refusals', () => ann.refused.size === 15);
    expect(new Set(ann.refused.values())).toEqual(new Set(['unavailable']));
    // What was sent once may have been taken: the client asks until it knows.
    for (let n = 1; n <= 5; n += 1) void flaky.say();
    shaky.breakAll();
    await eventually('a return meanwhile', () => flaky.states.length === 3);
    await redis.start();
    await ready(here, there);
    await allSettled([ann, flaky]);
    await lastWords([ann, bob, flaky], [ann, bob, flaky]);
    expect(ann.acked.size).toBe(6);
    for (const code of flaky.refused.values()) expect(code).toBe('unavailable');
    expectAllOnceInOrder([ann, bob, flaky], [ann, bob, flaky]);
    expectOneId([ann, bob, flaky], [ann, bob, flaky]);
  },
);

test('what came before history had it is dropped when it comes out of history', SLOW, async () => {
  const redis = await redisOf();
  const pod = await podOn(redis);
  const shaky = await proxyTo(pod.ports.PORT);
  const ann = await personAt(pod, 'ann');
  const bob = await personAt(shaky, 'bob', { platform: hasty() });
  await redis.kill();
  await degraded(pod);
  for (let n = 1; n <= 20; n += 1) void ann.say();
  await eventually('it to be heard', () => bob.heard.length === 20);
  expect(bob.heard.every(({ provisional }) => provisional)).toBe(true);
  await redis.start();
  await ready(pod);
  await allSettled([ann]);
  // Of all that bob heard nothing is a position: he is sent the whole history.
  shaky.breakAll();
  await eventually('a return', () => bob.states.length === 3);
  await lastWords([ann, bob], [ann]);
  expect(ann.refused).toEqual(new Map());
  expectAllOnceInOrder([ann, bob], [ann]);
  expectOneId([ann, bob], [ann]);
});

test('history asked for while Redis does not answer comes when it does', SLOW, async () => {
  const redis = await redisOf();
  const pod = await podOn(redis);
  const ann = await personAt(pod, 'ann');
  for (let n = 0; n < 3; n += 1) await ann.say();
  redis.freeze();
  await degraded(pod);
  const late = await personAt(pod, 'late', { history: 10 });
  expect(late.gaps).toEqual(['unavailable']);
  redis.thaw();
  await eventually('the history', () => late.numbersOf('ann').length === 3);
  await ann.say();
  await eventually('what is said then', () => late.numbersOf('ann').length === 4);
  expect(late.numbersOf('ann')).toEqual([1, 2, 3, 4]);
});
