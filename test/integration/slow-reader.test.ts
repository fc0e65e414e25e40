import { afterAll, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import type { Client } from '../support/client.ts';
import { fresh, guest, join, member, numbers, oldListener, published, range, settled } from './people.ts';

const remembering = await startPod({ HISTORY_SIZE: '10000' });
const forgetful = await startPod({ HISTORY_SIZE: '10' });
afterAll(() => Promise.all([remembering.stop(), forgetful.stop()]));

/** Together more than the system's buffers for a socket that is not read and an outbox hold. */
const MESSAGES = 500;
const PADDING = 'x'.repeat(50_000);

/** Publishes no faster than the reader reads: no more than half an outbox is on its way to it. */
async function flood(speaker: Client, reader: Client, room: string): Promise<void> {
  for (let n = 1; n <= MESSAGES; n += 1) {
    speaker.send({ room, data: { n, PADDING } });
    if (n % 10 === 0) await reader.next({ type: 'chat', data: { n } });
  }
}

test('A reader that pauses holds nobody up, and then gets every message once and in order', async () => {
  const room = fresh();
  const speaker = await member(remembering, room, 'speaker');
  const fast = await member(remembering, room, 'fast');
  const slow = await member(remembering, room, 'slow');
  slow.ws.pause();
  await flood(speaker, fast, room);
  expect(numbers(fast, room)).toEqual(range(1, MESSAGES));
  expect(numbers(slow, room)).toEqual([]);
  slow.ws.resume();
  await slow.next({ data: { n: MESSAGES } });
  expect(numbers(slow, room)).toEqual(range(1, MESSAGES));
  speaker.send({ room, data: { n: 'live' } });
  await slow.next({ data: { n: 'live' } });
  expect(numbers(slow, room)).toEqual([...range(1, MESSAGES), 'live']);
});

test('A reader that pauses again and again while others speak gets every message once and in order', async () => {
  const room = fresh();
  const speaker = await member(remembering, room, 'speaker');
  const slow = await member(remembering, room, 'slow');
  for (let n = 1; n <= MESSAGES; n += 1) {
    if (n % 100 === 1) slow.ws.pause();
    speaker.send({ room, data: { n, PADDING } });
    if (n % 10 === 0) await speaker.next({ type: 'chat', data: { n } });
    if (n % 100 === 75) slow.ws.resume();
  }
  slow.ws.resume();
  await slow.next({ data: { n: MESSAGES } });
  expect(numbers(slow, room)).toEqual(range(1, MESSAGES));
});

test('A reader of two rooms that pauses gets every message of both once and in order', async () => {
  const rooms = [fresh(), fresh()];
  const speakers = [];
  const slow = await guest(remembering);
  for (const room of rooms) {
    speakers.push(await member(remembering, room, 'speaker'));
    await join(slow, room);
  }
  slow.ws.pause();
  for (const [index, room] of rooms.entries()) {
    const speaker = speakers[index];
    if (speaker !== undefined) await flood(speaker, speaker, room);
  }
  slow.ws.resume();
  for (const room of rooms) await slow.next({ room, data: { n: MESSAGES } });
  for (const room of rooms) expect(numbers(slow, room)).toEqual(range(1, MESSAGES));
});

test('A reader of the channel dialect that pauses gets every broadcast once and in order', async () => {
  const room = fresh();
  const speaker = await member(remembering, room, 'speaker');
  const slow = await oldListener(remembering, room, 'slow', ['broadcast']);
  slow.ws.pause();
  await flood(speaker, speaker, room);
  slow.ws.resume();
  await slow.next({ channel: room, payload: { n: MESSAGES } });
  const heard = slow.all({ channel: room }).map(({ payload }) => (payload as { n: unknown }).n);
  expect(heard).toEqual(range(1, MESSAGES));
});

test('A reader that joins with more history than its outbox holds gets all of it, then what is live', async () => {
  const room = fresh();
  const speaker = await member(remembering, room, 'speaker');
  await flood(speaker, speaker, room);
  const late = await guest(remembering);
  const joined = await join(late, room, { history: MESSAGES });
  expect(joined).toMatchObject({ data: { replayed: MESSAGES } });
  await published(speaker, { room, data: { n: MESSAGES + 1 } });
  await late.next({ room, data: { n: MESSAGES + 1 } });
  expect(numbers(late, room)).toEqual(range(1, MESSAGES + 1));
});

test('A reader that pauses loses ephemeral messages, not its connection, and hears the room again', async () => {
  const room = fresh();
  const speaker = await member(remembering, room, 'speaker');
  const slow = await member(remembering, room, 'slow');
  slow.ws.pause();
  for (let n = 1; n <= MESSAGES; n += 1) {
    speaker.send({ room, data: { n, PADDING }, ephemeral: true });
    if (n % 10 === 0) await speaker.next({ type: 'chat', data: { n } });
  }
  await published(speaker, { room, data: { n: 'kept' } });
  slow.ws.resume();
  await slow.next({ data: { n: 'kept' } });
  await settled(slow);
  const got = numbers(slow, room);
  expect(got.length).toBeLessThan(MESSAGES);
  // None twice, none before one that was said earlier.
  expect(got.slice(0, -1)).toEqual(got.slice(0, -1).toSorted((a, b) => Number(a) - Number(b)));
  expect(new Set(got).size).toBe(got.length);
  await published(speaker, { room, data: { n: 'live' }, ephemeral: true });
  await slow.next({ data: { n: 'live' } });
});

test('A reader that stops while history cannot help is closed with 1013 and holds nobody up', async () => {
  const room = fresh();
  const speaker = await member(forgetful, room, 'speaker');
  const fast = await member(forgetful, room, 'fast');
  const slow = await member(forgetful, room, 'slow');
  slow.ws.pause();
  await flood(speaker, fast, room);
  expect(numbers(fast, room)).toEqual(range(1, MESSAGES));
  slow.ws.resume();
  expect((await slow.closed).code).toBe(1013);
  // What it had got by then is without a gap: its last id is a position that it can come back with.
  const got = numbers(slow, room);
  expect(got.length).toBeLessThan(MESSAGES);
  expect(got).toEqual(range(1, got.length));
});
