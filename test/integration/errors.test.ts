import { afterAll, describe, expect, test } from 'vitest';
import { startPod } from '../support/pod.ts';
import { type Client, type Frame, open, part } from '../support/client.ts';
import { fresh, guest, join, member, namedListener, published, settled } from './people.ts';

const pod = await startPod();
const narrow = await startPod({ MAX_ROOMS_PER_CONNECTION: '2' });
afterAll(() => Promise.all([pod.stop(), narrow.stop()]));

/** The one error that a frame is answered with; the connection must serve on after it. */
async function errorOf(client: Client, frame: Frame | string): Promise<Frame> {
  const before = client.all({ type: 'error' }).length;
  client.send(frame);
  const error = await client.next({ type: 'error' });
  await settled(client);
  expect(client.all({ type: 'error' })).toHaveLength(before + 1);
  expect(part(error, 'data')['error']).toMatch(/./);
  return error;
}

async function codeOf(frame: Frame | string): Promise<unknown> {
  const client = await guest(pod);
  return part(await errorOf(client, frame), 'data')['code'];
}

describe('A frame of the message dialect is answered with an error, and the connection serves on:', () => {
  test.each(['nope', '', ' ', '{"type":"chat"', "{'type':'chat'}", '{"type":"chat"}x', '\uFEFF{}'])(
    'invalid_json for %j',
    async (text) => {
      expect(await codeOf(text)).toBe('invalid_json');
    },
  );

  test.each(['[]', '"chat"', '42', 'null', 'true'])(
    'a bad frame for %s, which is no object',
    async (text) => {
      expect(await codeOf(text)).toMatch(/^invalid_(json|message)$/);
    },
  );

  test.each(['subscribe', 'broadcast', 'CHAT', 'chat ', '__proto__', 'toString'])(
    'unknown_type for %s',
    async (type) => {
      expect(await codeOf({ type })).toBe('unknown_type');
    },
  );

  test.each(['system', 'error', 'ack', 'pong'])('type_not_allowed for %s', async (type) => {
    expect(await codeOf({ type, data: {} })).toBe('type_not_allowed');
  });

  test.each<[string, Frame]>([
    ['a ref of 65 characters', { type: 'chat', room: 'r', ref: 'x'.repeat(65) }],
    ['an empty ref', { type: 'chat', room: 'r', ref: '' }],
    ['a ref that is a number', { type: 'ping', ref: 7 }],
    ['an event that is an object', { type: 'chat', room: 'r', event: {} }],
    ['ephemeral that is a string', { type: 'chat', room: 'r', ephemeral: 'true' }],
    ['a to that is a list', { type: 'chat', to: ['bob'] }],
    ['a last_id that is a number', { type: 'join', room: 'r', last_id: 5 }],
    ['a negative history', { type: 'join', room: 'r', history: -1 }],
    ['a history that is a fraction', { type: 'join', room: 'r', history: 1.5 }],
    ['a history that is a string', { type: 'join', room: 'r', history: '5' }],
  ])('invalid_message for %s', async (_, frame) => {
    expect(await codeOf(frame)).toBe('invalid_message');
  });

  test('invalid_message for a status that there is not', async () => {
    const client = await member(pod, fresh(), 'alice');
    const error = await errorOf(client, { type: 'presence', data: { status: 'busy' } });
    expect(part(error, 'data')['code']).toBe('invalid_message');
  });

  test.each<[string, Frame]>([
    ['a message', { type: 'chat', room: '-', data: 1 }],
    ['a message in a room of 129 characters', { type: 'chat', room: 'x'.repeat(129) }],
    ['a message to @global', { type: 'chat', room: '@global' }],
    ['a message in a room that is a number', { type: 'chat', room: 7 }],
    ['a join', { type: 'join', room: 'a b' }],
    ['a join that names it in data', { type: 'join', data: { room: '-' } }],
    ['a join that names none', { type: 'join' }],
    ['a join of the empty room', { type: 'join', room: '' }],
    ['a leave', { type: 'leave', room: '*' }],
    ['a presence', { type: 'presence', room: 'a/b', data: { status: 'away' } }],
  ])('invalid_room for %s', async (_, frame) => {
    expect(await codeOf(frame)).toBe('invalid_room');
  });

  test.each<[string, Frame]>([
    ['a leave', { type: 'leave', room: 'elsewhere' }],
    ['a presence', { type: 'presence', room: 'elsewhere', data: { status: 'away' } }],
  ])('not_in_room for %s of a room that one is not in', async (_, frame) => {
    expect(await codeOf(frame)).toBe('not_in_room');
  });

  test('not_in_room for a second leave', async () => {
    const room = fresh();
    const client = await member(pod, room, 'alice');
    client.send({ type: 'leave', room });
    await client.next({ event: 'left' });
    expect(part(await errorOf(client, { type: 'leave', room }), 'data')['code']).toBe('not_in_room');
  });
});

describe('An error', () => {
  test.each<[string, Frame]>([
    ['unknown_type', { type: 'nope' }],
    ['type_not_allowed', { type: 'system' }],
    ['invalid_room', { type: 'join', room: '-' }],
    ['not_in_room', { type: 'leave', room: 'elsewhere' }],
    ['invalid_message', { type: 'join', room: 'r', history: -1 }],
  ])('%s carries the ref of its frame', async (code, frame) => {
    const error = await errorOf(await guest(pod), { ...frame, ref: 'mine' });
    expect(error).toMatchObject({ type: 'error', ref: 'mine', data: { code } });
  });

  test('is for its sender alone, and the message it is about is not delivered', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    await errorOf(alice, { type: 'chat', room, data: 'refused', ref: 'x'.repeat(65) });
    await published(alice, { room, data: 'marker' });
    await bob.next({ data: 'marker' });
    expect(bob.all({ type: 'error' })).toEqual([]);
    expect(bob.all({ data: 'refused' })).toEqual([]);
  });

  test('of a failed command leaves everything as it was', async () => {
    const room = fresh();
    const alice = await member(pod, room, 'alice');
    const bob = await member(pod, room, 'bob');
    await errorOf(alice, { type: 'join', room: '-' });
    await errorOf(alice, { type: 'leave', room: 'elsewhere' });
    await published(bob, { room, data: 'still here' });
    await alice.next({ data: 'still here' });
  });
});

describe('Bad frames', () => {
  const bad = ['nope', '{"type":"nope"}', '{"type":"ack"}', '{"type":"chat","ref":5}'];

  test('ten in a row are answered and then the connection is closed with 1008', async () => {
    const client = await guest(pod);
    for (let n = 0; n < 10; n += 1) client.send(bad[n % 4] ?? '');
    expect((await client.closed).code).toBe(1008);
    expect(client.all({ type: 'error' })).toHaveLength(10);
  });

  test('nine in a row and then a good one, again and again, do not', async () => {
    const client = await guest(pod);
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 9; n += 1) client.send(bad[n % 4] ?? '');
      await settled(client);
    }
    expect(client.all({ type: 'error' })).toHaveLength(27);
  });

  test('are not those with a bad room or one that the client is not in', async () => {
    const client = await guest(pod);
    for (let n = 0; n < 15; n += 1) {
      client.send({ type: 'join', room: '-' });
      client.send({ type: 'leave', room: 'elsewhere' });
    }
    await settled(client);
    expect(client.all({ type: 'error' })).toHaveLength(30);
  });

  test('count before the dialect is known, too', async () => {
    const client = await open(pod, '/ws');
    for (let n = 0; n < 10; n += 1) client.send('nope');
    expect((await client.closed).code).toBe(1008);
  });

  test('end a connection of the channel dialect as well', async () => {
    const named = await namedListener(pod, fresh(), 'zoe', []);
    for (let n = 0; n < 10; n += 1) named.send({ type: 'nope', channel: 'x' });
    expect((await named.closed).code).toBe(1008);
    const old = await open(pod, '/ws');
    for (let n = 0; n < 10; n += 1) old.send({ type: 'nope', channel: 'x' });
    expect((await old.closed).code).toBe(1008);
  });
});

describe('With MAX_ROOMS_PER_CONNECTION=2', () => {
  test('the third room is too_many_rooms, and one that was left makes place', async () => {
    const [one, two, three] = [fresh(), fresh(), fresh()];
    const client = await member(narrow, one, 'alice');
    await join(client, two);
    const error = await errorOf(client, { type: 'join', room: three, ref: 'third' });
    expect(error).toMatchObject({ ref: 'third', data: { code: 'too_many_rooms' } });
    client.send({ type: 'leave', room: one });
    await client.next({ event: 'left' });
    await join(client, three);
  });

  test('a room that one is in already does not count again', async () => {
    const [one, two] = [fresh(), fresh()];
    const client = await member(narrow, one, 'alice');
    await join(client, two);
    await join(client, one);
    await join(client, two);
    expect(client.all({ type: 'error' })).toEqual([]);
  });

  test('a refused join does not make one hear the room', async () => {
    const [one, two, three] = [fresh(), fresh(), fresh()];
    const client = await member(narrow, one, 'alice');
    await join(client, two);
    await errorOf(client, { type: 'join', room: three });
    await published(client, { room: three, data: 1 });
    await published(client, { room: two, data: 'marker' });
    await client.next({ data: 'marker' });
    expect(client.all({ room: three, type: 'chat' })).toEqual([]);
  });

  test('publishing to a third room needs no place', async () => {
    const client = await member(narrow, fresh(), 'alice');
    await join(client, fresh());
    await published(client, { room: fresh(), data: 1 });
  });

  test('the third channel is too_many_rooms', async () => {
    const client = await open(narrow, '/ws?dialect=channel');
    const channels = [fresh(), fresh(), fresh()];
    for (const channel of channels) {
      client.send({ type: 'subscribe', channel, listen: ['broadcast'], ref: channel });
    }
    await client.next({ type: 'subscribed', channel: channels[1] });
    const error = await client.next({ type: 'error', ref: channels[2] });
    expect(error).toMatchObject({ channel: channels[2], code: 'too_many_rooms' });
  });
});
