import { beforeEach, expect, test } from 'vitest';
import type { Broker, Page, Stored } from '../../../src/core/ports/broker.ts';
import { formatPosition, roomTag } from '../../../src/protocol/position.ts';
import { encodeBody } from '../../../src/protocol/message.ts';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';

const told = ({ frames }: TestSocket): unknown[] =>
  frames.filter(({ event }) => event === 'joined' || event === 'recovered').map(({ data }) => data);
const chats = ({ frames }: TestSocket): unknown[] =>
  frames.filter(({ type }) => type === 'chat').map(({ data }) => data);

let pod: TestPod;
let start: string;
/** Messages that were kept after `start`. */
let kept: Stored[];
/** A failover has dropped something that members here had, and the room has found that out. */
let isFound: boolean;

/** The history of the room, in which a loss is found out by a pod that reads on from what it was given itself. */
function history(before: (after: string) => Promise<void> | void): Broker['read'] {
  return async (_room, from, limit) => {
    const newest = kept.at(-1)?.id ?? start;
    if (!('after' in from)) return { messages: [], position: newest, more: false };
    const at = kept.findIndex(({ id }) => id === from.after);
    const messages = kept.slice(at + 1).slice(0, limit);
    const position = messages.at(-1)?.id ?? newest;
    const page: Page = { messages, position, more: position !== newest };
    const isKnown = isFound;
    if (from.isOurs !== true) await before(from.after);
    return isKnown ? { ...page, missing: 'history_lost' } : page;
  };
}

/** The room looks whether it has all, and finds that it had more than history has. */
async function find(): Promise<void> {
  isFound = true;
  const room = pod.pod.hub.room('r');
  await room?.history.bringUpToDate(undefined);
  await room?.history.position();
}

beforeEach(async () => {
  isFound = false;
  kept = [];
  pod = new TestPod({ outboxMessages: 8 });
  const bob = pod.connect('bob', { room: 'r' });
  await turns();
  start = pod.pod.hub.room('r')?.history.lastPosition ?? '';
  const ms = pod.clock.now() + 1;
  const id = (seq: number): string => formatPosition({ epoch: 'e', tag: roomTag('r'), ms, seq });
  for (let n = 1; n <= 20; n += 1) {
    const timestamp = '2026-01-01T00:00:00.000Z';
    const body = encodeBody({ type: 'chat', room: 'r', from: 'ann', data: String(n), timestamp });
    kept.push({ id: id(n), prev: n === 1 ? start : id(n - 1), body });
  }
  bob.socket.takes = Number.POSITIVE_INFINITY;
});

test('whoever asks while the room finds out about a loss is told of it', async () => {
  kept = [];
  pod.pod.broker.read = history(() => (isFound ? undefined : find()));
  const late = pod.connect('late', { room: 'r', lastId: start });
  await turns(10);
  expect(isFound).toBe(true);
  expect(told(late.socket)).toMatchObject([{ recovered: false, reason: 'history_lost' }]);
});

test('whoever is owed history is told of a loss that the room finds out about while the rest is counted', async () => {
  pod.pod.broker.reaches = () => false;
  const late = pod.connect('late', { room: 'r', lastId: start });
  late.socket.takes = Number.POSITIVE_INFINITY;
  await turns();
  expect(told(late.socket)).toMatchObject([{ recovered: false, reason: 'unavailable' }]);
  pod.pod.broker.reaches = () => true;
  // Not the first page: that was read before.
  pod.pod.broker.read = history((after) => (isFound || after === start ? undefined : find()));
  const room = pod.pod.hub.room('r');
  if (room !== undefined) await pod.pod.catchUp.room(room);
  await turns(20);
  expect(isFound).toBe(true);
  expect(told(late.socket).slice(1)).toMatchObject([
    { recovered: false, reason: 'history_lost', replayed: 20 },
  ]);
  expect(chats(late.socket)).toEqual(kept.map((_, n) => n + 1));
});
