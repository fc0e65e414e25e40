import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';
import { connectionsIn, eventually } from '../faults/world.ts';
import { ClientProcess } from './client-process.ts';
import { Person } from './person.ts';
import { expectAllOnceInOrder, expectOneId, lastWords } from './world.ts';

/** Shorter than the defaults, for which these tests would have to wait. */
const HEARTBEATS = { HEARTBEAT_SECONDS: '10', HEARTBEAT_TIMEOUT_SECONDS: '24' };
/** The fault lasts so long: shorter than the timeout, also if the last heartbeat was a while before. */
const SHORT_MS = 8_000;
const SLOW = { timeout: 110_000 };

const HISTORY_SIZE = 20;

let redis: RedisServer;
/** One keeps much, the other little. */
let keeping: PodProcess;
let forgetful: PodProcess;

beforeAll(async () => {
  redis = await startRedis();
  keeping = await startPodProcess('keeping', { ...redis.env, ...HEARTBEATS, HISTORY_SIZE: '10000' });
  forgetful = await startPodProcess('forgetful', {
    ...redis.env,
    ...HEARTBEATS,
    HISTORY_SIZE: String(HISTORY_SIZE),
  });
});
afterAll(async () => {
  for (const part of [keeping, forgetful, redis]) await part.discard();
});

/** Somebody who talks all the time until the test ends or says so, and a client that can be frozen. */
async function pairIn(room: string, pod: PodProcess, { onTestFinished }: TestContext) {
  const bob = new Person('bob', pod.wsUrl, { room });
  onTestFinished(() => bob.client.close());
  await bob.room.join();
  const ann = new ClientProcess(pod.wsUrl, 'ann', room);
  onTestFinished(() => ann.discard());
  await ann.start();
  const timer = setInterval(() => void bob.say(), 250);
  onTestFinished(() => clearInterval(timer));
  await eventually('talk', () => ann.notes.numbersOf('bob').length > 5);
  return { ann, bob, stop: () => clearInterval(timer) };
}

/** Freezes it until the server has given it up as well. */
async function freezeLong(ann: ClientProcess, pod: PodProcess, room: string): Promise<void> {
  ann.freeze();
  await eventually('the server to give ann up', async () => (await connectionsIn(pod, room)) === 1);
}

test.concurrent(
  'a client frozen until the server gives it up has everything that was said meanwhile',
  SLOW,
  async (context) => {
    const { ann, bob, stop } = await pairIn('long', keeping, context);
    await freezeLong(ann, keeping, 'long');
    ann.thaw();
    await eventually('ann to be back', () => ann.notes.states.length === 3);
    stop();
    await ann.hush();
    await lastWords([bob], [bob]);
    await eventually('the last of bob', () => ann.notes.numbersOf('bob').includes(bob.said));
    const { notes } = ann;
    expect(notes.states).toEqual(['connected', 'reconnecting', 'connected']);
    expect(notes.gaps).toEqual([]);
    expect(notes.refused).toEqual(new Map());
    expectAllOnceInOrder([bob, notes], [bob, notes]);
    expectOneId([bob, notes], [bob, notes]);
    expect(bob.states).toEqual(['connected']);
  },
);

test.concurrent(
  'a client frozen for longer than history reaches back is told so, and has what is kept',
  SLOW,
  async (context) => {
    const { ann, bob, stop } = await pairIn('forgotten', forgetful, context);
    await freezeLong(ann, forgetful, 'forgotten');
    stop();
    // More than is kept, after the last that can have reached the frozen process.
    await Promise.all(Array.from({ length: HISTORY_SIZE + 10 }, () => bob.say()));
    ann.thaw();
    await eventually('the last of bob', () => ann.notes.numbersOf('bob').includes(bob.said));
    await ann.hush();
    await lastWords([bob], [bob]);
    await eventually('the last of bob', () => ann.notes.numbersOf('bob').includes(bob.said));
    const { notes } = ann;
    expect(notes.states).toEqual(['connected', 'reconnecting', 'connected']);
    expect(notes.gaps).toEqual(['trimmed']);
    const heard = notes.numbersOf('bob');
    expect(heard, 'once and in order').toEqual([...new Set(heard)].toSorted((a, b) => a - b));
    expect(heard.length).toBeLessThan(bob.said);
    const kept = Array.from({ length: HISTORY_SIZE }, (_, index) => bob.said - HISTORY_SIZE + index + 1);
    expect(heard.slice(-HISTORY_SIZE)).toEqual(kept);
    expectAllOnceInOrder([bob, notes], [notes]);
  },
);

test.concurrent(
  'a client frozen for less than the server waits goes on as if nothing had been',
  SLOW,
  async (context) => {
    const { ann, bob, stop } = await pairIn('short', keeping, context);
    ann.freeze();
    await sleep(SHORT_MS);
    const saidMeanwhile = bob.said;
    ann.thaw();
    await eventually('what was said', () => ann.notes.numbersOf('bob').includes(saidMeanwhile));
    stop();
    await ann.hush();
    await lastWords([bob], [bob]);
    await eventually('the last of bob', () => ann.notes.numbersOf('bob').includes(bob.said));
    const { notes } = ann;
    expect(notes.gaps).toEqual([]);
    expectAllOnceInOrder([bob, notes], [bob, notes]);
    expectOneId([bob, notes], [bob, notes]);
  },
);
