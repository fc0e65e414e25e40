import * as fc from 'fast-check';
import { channelDialect } from '../../../src/protocol/dialects.ts';
import { describe, expect, test } from 'vitest';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';

const chats = (socket: TestSocket): unknown[] =>
  socket.frames.filter(({ type }) => type === 'chat').map(({ data }) => data);

const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n);

type Client = ReturnType<TestPod['connect']>;

/** While `slow` does not read, `fast` publishes 0 to 59, each in a turn of its own. */
async function fallBehind(slow: Client, fast: Client): Promise<void> {
  slow.socket.congested = true;
  for (const n of numbers(60)) {
    fast.send({ data: n });
    await turns(1);
  }
}

function readAgain(pod: TestPod, { connection, socket }: Client): void {
  socket.congested = false;
  pod.gateway.drained(connection);
}

describe('a member that does not read', () => {
  test('gets what it missed from the history when it reads again, in order, and then goes on', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    await fallBehind(slow, fast);
    expect(chats(slow.socket)).toEqual([]);
    expect(chats(fast.socket)).toEqual(numbers(60));
    readAgain(pod, slow);
    await turns();
    fast.send({ data: 60 });
    await turns();
    expect(chats(slow.socket)).toEqual(numbers(61));
    expect(slow.socket.closeCode).toBeUndefined();
  });

  test('is given a page again that was still in its outbox when that overflowed', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    await fallBehind(slow, fast);
    const read = pod.pod.broker.read.bind(pod.pod.broker);
    pod.pod.broker.read = (...asked) => {
      // Meanwhile something else has filled the socket: the page waits in the outbox.
      slow.socket.congested = true;
      return read(...asked);
    };
    readAgain(pod, slow);
    await turns();
    pod.pod.broker.read = read;
    for (const status of ['away', 'online']) fast.send({ type: 'presence', room: 'r', data: { status } });
    await turns();
    readAgain(pod, slow);
    await turns();
    expect(chats(slow.socket)).toEqual(numbers(60));
  });

  test('is closed with 1013 if the history no longer holds what it missed', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 20 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    await fallBehind(slow, fast);
    readAgain(pod, slow);
    await turns();
    expect(slow.socket.closeCode).toBe(1013);
    expect(chats(fast.socket)).toEqual(numbers(60));
  });

  test('keeps presence events and answers; messages without history are dropped and counted', async () => {
    const pod = new TestPod({ outboxMessages: 8 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    slow.socket.congested = true;
    slow.send({ type: 'ping', ref: 'p' });
    fast.send({ type: 'presence', data: { status: 'away' } });
    for (const n of numbers(20)) {
      fast.send({ data: n, ephemeral: true });
      await turns(1);
    }
    readAgain(pod, slow);
    await turns();
    const types = slow.socket.frames.map(({ type }) => type);
    expect(types.filter((type) => type === 'pong')).toHaveLength(1);
    expect(types.filter((type) => type === 'presence')).toHaveLength(2);
    expect(chats(slow.socket).length + (pod.pod.tally.dropped.get('ephemeral') ?? 0)).toBe(20);
    expect(slow.socket.closeCode).toBeUndefined();
  });

  test('is closed with 1013 when what must be kept exceeds the bounds', async () => {
    const pod = new TestPod({ outboxMessages: 8 });
    const slow = pod.connect('slow', { room: 'r' });
    await turns();
    slow.socket.congested = true;
    for (const n of numbers(20)) slow.send({ type: 'ping', ref: String(n) });
    await turns();
    expect(slow.socket.closeCode).toBe(1013);
  });

  test('whenever it reads and whenever it does not, it gets every message once and in order', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant('stop' as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant('read' as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant('turn' as const), count: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const pod = new TestPod({ outboxMessages: 8, historySize: 1_000 });
        const slow = pod.connect('slow', { room: 'r' });
        const fast = pod.connect('fast', { room: 'r' });
        await turns();
        let published = 0;
        const read = (): void => {
          slow.socket.congested = false;
          pod.gateway.drained(slow.connection);
        };
        for (const { kind, count } of steps) {
          if (kind === 'stop') slow.socket.congested = true;
          else if (kind === 'read') read();
          else if (kind === 'turn') await turns(1);
          else for (let n = 0; n < count; n += 1) fast.send({ data: published++ });
        }
        read();
        await turns(4);
        expect(chats(slow.socket)).toEqual(numbers(published));
        expect(chats(fast.socket)).toEqual(numbers(published));
        expect(slow.socket.closeCode).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('falls behind by bytes as it does by messages, and an outbox never holds more', async () => {
    const outboxBytes = 2_000;
    const pod = new TestPod({ outboxMessages: 1_000, outboxBytes, historySize: 100 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    slow.socket.congested = true;
    for (const n of numbers(60)) {
      fast.send({ data: n });
      await turns(1);
      expect(slow.connection.outbox.bytes).toBeLessThanOrEqual(outboxBytes);
    }
    readAgain(pod, slow);
    await turns();
    expect(chats(slow.socket)).toEqual(numbers(60));
  });

  test('a replay longer than the outbox arrives whole and in order', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    for (const n of numbers(50)) fast.send({ data: n });
    await turns();
    const late = pod.connect('late', {});
    await turns();
    late.socket.congested = true;
    late.send({ type: 'join', room: 'r', history: 50 });
    await turns();
    fast.send({ data: 50 });
    await turns();
    late.socket.congested = false;
    pod.gateway.drained(late.connection);
    await turns();
    expect(late.socket.frames[1]?.event).toBe('joined');
    expect(chats(late.socket)).toEqual(numbers(51));
  });

  test('hears nothing more of a room that it leaves while it catches up', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const slow = pod.connect('slow', { room: 'r' });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    await fallBehind(slow, fast);
    slow.send({ type: 'leave', room: 'r' });
    await turns();
    readAgain(pod, slow);
    fast.send({ type: 'leave', room: 'r' });
    await turns();
    expect(chats(slow.socket)).toEqual([]);
    expect(slow.socket.frames.at(-1)?.event).toBe('left');
    expect(pod.pod.hub.roomCount).toBe(0);
  });

  test('is left alone when it stops listening to messages before it reads again', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const slow = pod.connect('slow', {}, channelDialect);
    const fast = pod.connect('fast', { room: 'r' });
    slow.send({ type: 'subscribe', channel: 'r', listen: ['broadcast', 'presence'] });
    await turns();
    await fallBehind(slow, fast);
    slow.send({ type: 'subscribe', channel: 'r', listen: ['presence'] });
    await turns();
    readAgain(pod, slow);
    await turns();
    fast.send({ type: 'presence', data: { status: 'away' } });
    await turns();
    const types = slow.socket.frames.map(({ type }) => type);
    expect(types.filter((type) => type === 'broadcast')).toEqual([]);
    expect(types.at(-1)).toBe('presence_update');
  });

  test('does not disturb the order of what others are sent when it is closed', async () => {
    const pod = new TestPod({ outboxMessages: 2 });
    const slow = pod.connect('slow', { room: 'a' });
    const other = pod.connect('other', { room: 'a' });
    const publisher = pod.connect('publisher', { room: 'b' });
    await turns();
    slow.socket.congested = true;
    for (const status of ['away', 'online', 'away', 'online'])
      other.send({ type: 'presence', data: { status } });
    publisher.send({ data: 1, ref: 'r' });
    await turns();
    expect(slow.socket.closeCode).toBe(1013);
    expect(publisher.socket.frames.map(({ type }) => type).slice(-2)).toEqual(['chat', 'ack']);
  });

  test('that asks for much at once is sent it as it reads, and the pod does not hold it all', async () => {
    const pod = new TestPod({ outboxMessages: 8, historySize: 100 });
    const fast = pod.connect('fast', { room: 'r' });
    await turns();
    for (const n of numbers(100)) fast.send({ data: n });
    await turns();
    const greedy = pod.connect('greedy');
    await turns();
    greedy.socket.takes = 20;
    for (let n = 0; n < 50; n += 1) greedy.send({ type: 'join', room: 'r', history: 100 });
    await turns();
    expect(greedy.connection.outbox.messages).toBeLessThanOrEqual(60);
  });
});
