import { beforeEach, expect, test } from 'vitest';
import type { Receiver } from '../../../src/core/ports/broker.ts';
import { encodeBody } from '../../../src/protocol/message.ts';
import { formatPosition, roomTag } from '../../../src/protocol/position.ts';
import { receiverOf } from '../../../src/core/commands/broker-receiver.ts';
import { TestPod, type TestSocket, turns } from '../../support/test-pod.ts';

const NAME = '~name';
const body = encodeBody({
  type: 'chat',
  room: 'r',
  from: 'ann',
  data: '"hi"',
  timestamp: '2026-01-01T00:00:00.000Z',
});
const chats = ({ frames }: TestSocket): unknown[] =>
  frames.filter(({ type }) => type === 'chat').map(({ id }) => id);

let pod: TestPod;
let receiver: Receiver;
let bob: ReturnType<TestPod['connect']>;
let prev: string;
let id: string;

beforeEach(async () => {
  pod = new TestPod();
  receiver = receiverOf(pod.pod);
  bob = pod.connect('bob', { room: 'r' });
  await turns();
  prev = pod.pod.hub.room('r')?.history.lastPosition ?? '';
  id = formatPosition({ epoch: 'e', tag: roomTag('r'), ms: pod.clock.now() + 1, seq: 1 });
  receiver.provisional('r', { id: NAME, body });
});

test('what members had provisionally, and another pod published, comes to them once, however late history brings it', async () => {
  receiver.forgotten('r', NAME, id);
  receiver.message('r', { id, prev, body, provisionalId: NAME });
  await turns();
  expect(chats(bob.socket)).toEqual([NAME]);
});

test('whoever joins before history has brought it gets it once', async () => {
  receiver.forgotten('r', NAME, id);
  const cyd = pod.connect('cyd', { room: 'r' });
  await turns();
  receiver.message('r', { id, prev, body, provisionalId: NAME });
  await turns();
  expect([chats(bob.socket), chats(cyd.socket)]).toEqual([[NAME], [NAME]]);
});

test('whoever joins when history has brought it, before or after, gets it from there alone', async () => {
  receiver.message('r', { id, prev, body, provisionalId: NAME });
  receiver.forgotten('r', NAME, id);
  const cyd = pod.connect('cyd', { room: 'r' });
  await turns();
  expect([chats(bob.socket), chats(cyd.socket)]).toEqual([[NAME], []]);
});

test('what was refused is not shown to those who join later', async () => {
  receiver.forgotten('r', NAME);
  const cyd = pod.connect('cyd', { room: 'r' });
  await turns();
  expect([chats(bob.socket), chats(cyd.socket)]).toEqual([[NAME], []]);
});

test('what a failover has dropped and is published anew comes also to those who have joined meanwhile', async () => {
  receiver.message('r', { id, prev, body, provisionalId: NAME });
  await turns();
  const cyd = pod.connect('cyd', { room: 'r' });
  await turns();
  const anew = formatPosition({ epoch: 'e', tag: roomTag('r'), ms: pod.clock.now() + 2, seq: 1 });
  receiver.message('r', { id: anew, prev: id, body, provisionalId: NAME });
  await turns();
  expect(chats(cyd.socket)).toEqual([anew]);
});
