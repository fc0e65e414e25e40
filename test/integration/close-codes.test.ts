import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { open, RawClient } from '../support/client.ts';
import { fresh, guest, member, published, settled } from './people.ts';

const LIMIT = 1_024;
const pod = await startPod({ MAX_MESSAGE_BYTES: String(LIMIT) });
afterAll(() => pod.stop());

const TEXT = 0x81;
const TEXT_UNFINISHED = 0x01;
const CONTINUATION_END = 0x80;
const BINARY = 0x82;
const PING = 0x89;

/** A chat frame of exactly so many bytes as UTF-8. */
function chatOf(bytes: number, filler = 'x'): string {
  const empty = JSON.stringify({ type: 'chat', data: '' });
  const room = bytes - Buffer.byteLength(empty);
  const size = Buffer.byteLength(filler);
  const data = filler.repeat(Math.floor(room / size)) + 'x'.repeat(room % size);
  return JSON.stringify({ type: 'chat', data });
}

describe('1000:', () => {
  test('a client that closes with it is answered with it', async () => {
    const client = await guest(pod);
    expect(await client.close(1000)).toEqual({ code: 1000, reason: '' });
  });

  test('everything sent before the close is still done', async () => {
    const room = fresh();
    const bob = await member(pod, room, 'bob');
    const alice = await member(pod, room, 'alice');
    alice.send({ room, data: 'last words' });
    await alice.close(1000);
    await bob.next({ data: 'last words' });
  });
});

describe('1002, a broken frame:', () => {
  test.each<[string, (client: RawClient) => void]>([
    ['one that is not masked', (client) => client.frame(TEXT, '{}', { masked: false })],
    ['a reserved opcode', (client) => client.frame(0x83, '{}')],
    ['a reserved bit', (client) => client.frame(TEXT | 0x40, '{}')],
    ['a continuation of nothing', (client) => client.frame(CONTINUATION_END, '{}')],
    ['a fragmented ping', (client) => client.frame(PING & 0x7f, '')],
    ['a ping of 126 bytes', (client) => client.frame(PING, Buffer.alloc(126))],
    ['a close frame of one byte', (client) => client.frame(0x88, Buffer.from([3]))],
    [
      'a close frame with a code that must not be sent',
      (client) => client.frame(0x88, Buffer.from([3, 238])),
    ],
  ])('%s', async (_, breakIt) => {
    const client = await RawClient.open(pod, '/ws');
    breakIt(client);
    expect(await client.closeCode()).toBe(1002);
  });
});

describe('1003, a binary frame:', () => {
  test('of any content', async () => {
    const client = await guest(pod);
    client.ws.send(Buffer.from('{"type":"ping"}'), { binary: true });
    expect(await client.closed).toEqual({ code: 1003, reason: 'only text frames are supported' });
    expect(client.all({ type: 'pong' })).toEqual([]);
  });

  test('as the very first frame, and an empty one', async () => {
    const client = await RawClient.open(pod, '/ws');
    client.frame(BINARY, '');
    expect(await client.closeCode()).toBe(1003);
  });
});

describe('1007, text that is not UTF-8:', () => {
  test.each([
    ['a byte that no character begins with', Buffer.from([0x22, 0xff, 0x22])],
    ['a surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['an overlong character', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a character that is cut off', Buffer.from([0x22, 0xe2, 0x82])],
  ])('%s', async (_, bytes) => {
    const client = await guest(pod);
    client.ws.send(bytes, { binary: false });
    expect((await client.closed).code).toBe(1007);
  });
});

describe('1009, a frame over MAX_MESSAGE_BYTES:', () => {
  test('one of exactly so many bytes passes, one byte more does not', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    alice.send(chatOf(LIMIT));
    await bob.next({ type: 'chat' });
    await settled(alice);
    alice.send(chatOf(LIMIT + 1));
    expect((await alice.closed).code).toBe(1009);
    await published(bob, { room, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ type: 'chat' })).toHaveLength(2);
  });

  test('bytes are counted, not characters', async () => {
    const alice = await member(pod, fresh(), 'alice');
    const wide = chatOf(LIMIT, 'é');
    expect(wide.length).toBeLessThan(LIMIT);
    alice.send(wide);
    await alice.next({ type: 'chat' });
    alice.send(chatOf(LIMIT + 1, '👋'));
    expect((await alice.closed).code).toBe(1009);
  });

  test('the parts of a fragmented one count together', async () => {
    const fits = await RawClient.open(pod, '/ws/fragments');
    const other = await member(pod, 'fragments', 'bob');
    const frame = Buffer.from(chatOf(LIMIT));
    fits.frame(TEXT_UNFINISHED, frame.subarray(0, 600));
    fits.frame(CONTINUATION_END, frame.subarray(600));
    await other.next({ type: 'chat' });
    const over = await RawClient.open(pod, '/ws/fragments');
    over.frame(TEXT_UNFINISHED, Buffer.alloc(600, 0x20));
    over.frame(CONTINUATION_END, Buffer.alloc(425, 0x20));
    expect(await over.closeCode()).toBe(1009);
  });

  test('a length that is only announced is enough', async () => {
    const client = await RawClient.open(pod, '/ws');
    client.socket.write(Buffer.from([TEXT, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    expect(await client.closeCode()).toBe(1009);
  });
});

test('A client that is closed for its frames does not disturb the others in its room', async () => {
  const room = fresh();
  const [alice, bob] = [await member(pod, room, 'alice'), await member(pod, room, 'bob')];
  const bad = await open(pod, `/ws/${room}?user_id=bad`);
  bad.ws.send(Buffer.from([0xff]), { binary: false });
  await bad.closed;
  await published(alice, { room, data: 'on we go' });
  await bob.next({ data: 'on we go' });
});

test('A client that resets the connection in the middle of anything does not end the pod', async () => {
  for (const address of ['/ws', '/ws/reset', '/ws?dialect=channel']) {
    const client = await RawClient.open(pod, address);
    client.frame(TEXT, '{"type":"join","room":"reset"}');
    client.socket.resetAndDestroy();
  }
  await settled(await guest(pod));
});
