import { beforeEach, describe, expect, test } from 'vitest';
import type { Page, ReadFrom, Receiver, Stored } from '../../../src/core/ports/broker.ts';
import { formatPosition, roomTag } from '../../../src/protocol/position.ts';
import { eventDelivery } from '../../../src/core/delivery/delivery.ts';
import { LISTEN } from '../../../src/protocol/command.ts';
import { encodeBody } from '../../../src/protocol/message.ts';
import { Refused } from '../../../src/core/base/refused.ts';
import { receiverOf } from '../../../src/core/commands/broker-receiver.ts';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';

const NAME = '~name';
const LOSS = {
  kind: 'recovered',
  room: 'r',
  recovered: false,
  reason: 'trimmed',
  replayed: 0,
  at: 0,
} as const;
const timestamp = '2026-01-01T00:00:00.000Z';

function bodyOf(n: number): string {
  return encodeBody({ type: 'chat', room: 'r', from: 'ann', data: String(n), timestamp });
}

const chats = ({ frames }: TestSocket): unknown[] =>
  frames.filter(({ type }) => type === 'chat').map(({ data }) => data);
const told = ({ frames }: TestSocket): unknown[] =>
  frames.filter(({ event }) => event === 'joined' || event === 'recovered').map(({ data }) => data);

let pod: TestPod;
let receiver: Receiver;
let bob: ReturnType<TestPod['connect']>;
let start: string;
/** When the room's messages were made, in ms. */
let made: number;

/** Message n of the room, as its history has it. */
function stored(n: number, provisionalId?: string): Stored {
  const id = (seq: number): string => formatPosition({ epoch: 'e', tag: roomTag('r'), ms: made, seq });
  return { id: id(n), prev: n === 1 ? start : id(n - 1), body: bodyOf(n), provisionalId };
}

/** The history goes away, and cannot be read until `isBack`. */
function historyIsAway(): void {
  pod.pod.broker.reaches = () => false;
}

/** It is back, and holds this. */
function historyIsBack(read: (after: string, limit: number) => Page): void {
  pod.pod.broker.reaches = () => true;
  pod.pod.broker.read = (_room, from, limit) =>
    Promise.resolve(read('after' in from ? from.after : '', limit));
}

/** All that has been stored after a position. */
function pageOf(all: readonly Stored[]): (after: string) => Page {
  return (after) => {
    const messages = all.slice(all.findIndex(({ id }) => id === after) + 1);
    return { messages, position: all.at(-1)?.id ?? start, more: false };
  };
}

/** So many at a time of what has been stored after a position; `missing` says what of that position is. */
function pagesOf(
  all: readonly Stored[],
  missing: (at: number) => Page['missing'] = () => undefined,
): (after: string, limit: number) => Page {
  return (after, limit) => {
    const at = all.findIndex(({ id }) => id === after);
    const messages = all.slice(at + 1).slice(0, limit);
    const newest = all.at(-1)?.id ?? start;
    const position = messages.at(-1)?.id ?? newest;
    const page: Page = { messages, position, more: position !== newest };
    const reason = missing(at);
    return reason === undefined ? page : { ...page, missing: reason };
  };
}

/** It takes all again. */
async function readsOn({ connection, socket }: typeof bob): Promise<void> {
  socket.takes = Number.POSITIVE_INFINITY;
  socket.congested = false;
  pod.gateway.drained(connection);
  await turns(10);
}

async function renewed(): Promise<void> {
  const room = pod.pod.hub.room('r');
  if (room !== undefined) await pod.pod.catchUp.room(room);
  await turns(10);
}

beforeEach(async () => {
  pod = new TestPod({ outboxMessages: 8 });
  receiver = receiverOf(pod.pod);
  bob = pod.connect('bob', { room: 'r' });
  await turns();
  start = pod.pod.hub.room('r')?.history.lastPosition ?? '';
  made = pod.clock.now() + 1;
});

describe('a member whose history could not be read when it joined', () => {
  test('gets from there what others had provisionally before it came, and they do not get it again', async () => {
    historyIsAway();
    receiver.provisional('r', { id: NAME, body: bodyOf(1) });
    const early = pod.connect('early', { room: 'r' });
    await turns();
    // The answers of the history stay away, what it publishes comes.
    receiver.message('r', stored(1, NAME));
    await turns();
    const late = pod.connect('late', { room: 'r', lastId: start });
    await turns();
    historyIsBack(pageOf([stored(1, NAME)]));
    await renewed();
    expect([chats(bob.socket), chats(early.socket), chats(late.socket)]).toEqual([[1], [1], [1]]);
    expect(told(late.socket)).toMatchObject([
      { recovered: false, reason: 'unavailable', replayed: 0 },
      { recovered: true, replayed: 1 },
    ]);
  });

  test('that knew no position then gets all from that moment on, a whole number of milliseconds', async () => {
    historyIsAway();
    const elapsed = pod.clock.elapsed.bind(pod.clock);
    let eighths = 0;
    // It goes on by fractions, as that of a machine does.
    pod.clock.elapsed = () => elapsed() + (eighths += 1) / 8;
    const { broker } = pod.pod;
    const subscribe = broker.subscribe.bind(broker);
    broker.subscribe = () => Promise.reject(new Refused('unavailable'));
    const cyd = pod.connect('cyd', { room: 'another' });
    await turns();
    broker.subscribe = subscribe;
    const asked: ReadFrom[] = [];
    const first = { ...stored(1), prev: '' };
    pod.pod.broker.reaches = () => true;
    pod.pod.broker.read = (_room, from) => {
      asked.push(from);
      return Promise.resolve({ messages: [first], position: first.id, more: false });
    };
    const room = pod.pod.hub.room('another');
    if (room !== undefined) await pod.pod.catchUp.room(room);
    await turns(10);
    expect(chats(cyd.socket)).toEqual([1]);
    expect(asked.filter((from) => 'since' in from)).toEqual([{ since: pod.clock.now() - 1 }]);
  });

  test('is told once of a loss that lies before every page, and how many messages follow in all', async () => {
    historyIsAway();
    const late = pod.connect('late', { room: 'r', lastId: start });
    await turns();
    const kept = Array.from({ length: 30 }, (_, n) => stored(n + 1));
    historyIsBack(pagesOf(kept, (at) => (at < 29 ? 'history_lost' : undefined)));
    await renewed();
    expect(chats(late.socket)).toEqual(kept.map((_, n) => n + 1));
    expect(told(late.socket).slice(1)).toMatchObject([
      { recovered: false, reason: 'history_lost', replayed: 30 },
    ]);
    expect(told(bob.socket).slice(1)).toMatchObject([
      { recovered: false, reason: 'history_lost', replayed: 30 },
    ]);
  });

  test('that can take only part of a page gets the rest later, without what it had provisionally', async () => {
    historyIsAway();
    const late = pod.connect('late', { room: 'r', lastId: start });
    await turns();
    receiver.provisional('r', { id: NAME, body: bodyOf(12) });
    await turns();
    expect(chats(late.socket)).toEqual([12]);
    const kept = Array.from({ length: 12 }, (_, n) => stored(n + 1, n === 11 ? NAME : undefined));
    late.socket.takes = 4;
    historyIsBack(pagesOf(kept));
    await renewed();
    await readsOn(late);
    expect(chats(late.socket)).toEqual([12, ...Array.from({ length: 11 }, (_, n) => n + 1)]);
  });
});

test('who is given the newest of a history that goes away before the older ones are read gets each message once, in order', async () => {
  const kept = Array.from({ length: 12 }, (_, n) => stored(n + 1));
  pod.pod.broker.read = (_room, from) => {
    if (!('newest' in from)) return Promise.reject(new Refused('unavailable'));
    return Promise.resolve({ messages: kept.slice(-10), position: kept.at(-1)?.id ?? '', more: false });
  };
  const late = pod.connect('late', {});
  late.send({ type: 'join', room: 'r', history: 10 });
  await turns(10);
  historyIsBack(pagesOf(kept));
  await renewed();
  for (const { socket } of [bob, late]) expect(chats(socket)).toEqual(kept.map((_, n) => n + 1));
});

describe('a member that falls behind where something is lost', () => {
  const numbers = Array.from({ length: 30 }, (_, n) => n + 1);
  /** The loss lies behind the 25th message. */
  function historyWithLoss(): void {
    const kept = numbers.map((n) => stored(n));
    historyIsBack(pagesOf(kept, (at) => (at < 25 ? 'history_lost' : undefined)));
  }

  test('is told so, keeps its connection and gets the rest', async () => {
    historyWithLoss();
    bob.socket.congested = true;
    for (const n of numbers) receiver.message('r', stored(n));
    await turns(10);
    bob.socket.congested = false;
    pod.gateway.drained(bob.connection);
    await turns(10);
    expect(chats(bob.socket)).toEqual(numbers);
    expect(told(bob.socket).slice(1)).toMatchObject([{ recovered: false, reason: 'history_lost' }]);
    expect(bob.socket.closeCode).toBeUndefined();
  });

  test('is not told again of what the answer to its join has told already', async () => {
    historyWithLoss();
    const late = pod.connect('late', { room: 'r', lastId: start });
    late.socket.takes = 4;
    await turns(10);
    await readsOn(late);
    expect(chats(late.socket)).toEqual(numbers);
    expect(told(late.socket)).toMatchObject([{ recovered: false, reason: 'history_lost' }]);
    expect(late.socket.closeCode).toBeUndefined();
  });
});

test('who is given a page with what others have provisionally, and cannot take all of it, gets the rest later', async () => {
  const kept = Array.from({ length: 30 }, (_, n) => stored(n + 1, n === 29 ? NAME : undefined));
  receiver.provisional('r', { id: NAME, body: bodyOf(30) });
  await turns();
  // The room here has not heard of any of it yet.
  const room = pod.pod.hub.room('r');
  if (room !== undefined) {
    room.history.receive = () => undefined;
    room.history.read = (from, limit) => pod.pod.broker.read('r', from, limit);
  }
  historyIsBack(pagesOf(kept));
  const late = pod.connect('late', { room: 'r', lastId: start });
  late.socket.takes = 4;
  await turns(10);
  await readsOn(late);
  expect(chats(late.socket)).toEqual(kept.map((_, n) => n + 1));
});

test('a member that does not read is told all the same that messages are missing', async () => {
  bob.socket.congested = true;
  for (let n = 1; n <= 8; n += 1)
    pod.pod.hub.room('r')?.deliver(eventDelivery(LOSS, LISTEN.messages, pod.pod.framer));
  await turns();
  receiver.message('r', stored(1));
  await turns();
  bob.socket.congested = false;
  pod.gateway.drained(bob.connection);
  await turns();
  expect(told(bob.socket).slice(1)).toHaveLength(8);
});

test('what a member had provisionally it is not given again where it falls behind after that has landed', async () => {
  receiver.provisional('r', { id: NAME, body: bodyOf(10) });
  await turns();
  bob.socket.congested = true;
  const kept = Array.from({ length: 10 }, (_, n) => stored(n + 1, n === 9 ? NAME : `~${n}`));
  for (const one of kept) receiver.message('r', one);
  await turns();
  historyIsBack(pageOf(kept));
  bob.socket.congested = false;
  pod.gateway.drained(bob.connection);
  await turns(10);
  expect(chats(bob.socket)).toEqual([10, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

describe('a message that is only provisional', () => {
  test('is never dropped: a member that does not read is closed, and resumes', async () => {
    bob.socket.congested = true;
    for (let n = 1; n <= 9; n += 1) receiver.provisional('r', { id: `~${n}`, body: bodyOf(n) });
    await turns();
    expect(bob.socket.closeCode).toBe(1013);
  });

  test('is not passed over either where a member is behind already', async () => {
    bob.socket.congested = true;
    for (let n = 1; n <= 9; n += 1) receiver.message('r', stored(n));
    await turns();
    expect(bob.socket.closeCode).toBeUndefined();
    receiver.provisional('r', { id: NAME, body: bodyOf(10) });
    await turns();
    expect(bob.socket.closeCode).toBe(1013);
  });
});
