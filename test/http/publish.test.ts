import { describe, expect, test } from 'vitest';
import { channelDialect } from '../../src/protocol/dialects.ts';
import { delivered, field, world } from './world.ts';

const PUBLISHED = ['chat', 'notification', 'broadcast'];

function messages(socket: { frames: readonly object[] }): unknown[] {
  return socket.frames.filter((frame) => PUBLISHED.includes((frame as { type: string }).type));
}

describe('POST /api/rooms/{room}/messages', () => {
  test('reaches members in both dialects, with the id and the timestamp of the answer', async () => {
    const { test, post } = world();
    const alice = test.connect('alice', { room: 'r' });
    const carol = test.connect('carol', { room: 'r' }, channelDialect);
    await delivered();
    const answer = await post('/api/rooms/r/messages', { event: 'said', data: { n: 1 }, from: 'bob' });
    await delivered();
    const { id, timestamp } = answer.body as { id: string; timestamp: string };
    expect(answer).toMatchObject({ status: 200, body: { id, room: 'r', timestamp } });
    expect(messages(alice.socket)).toEqual([
      { id, type: 'chat', room: 'r', from: 'bob', event: 'said', data: { n: 1 }, timestamp },
    ]);
    expect(messages(carol.socket)).toEqual([
      {
        type: 'broadcast',
        channel: 'r',
        event: 'said',
        payload: { n: 1 },
        user_id: 'bob',
        ts: Date.parse(timestamp),
        id,
      },
    ]);
  });

  test('answers with the timestamp of the message, however long it took', async () => {
    const { test, post, get } = world();
    let now = test.clock.now();
    test.clock.now = () => (now += 1);
    const { body } = await post('/api/rooms/r/messages', {});
    const kept = await get('/api/rooms/r/history');
    expect(field(kept, 'messages', 0, 'timestamp')).toBe((body as { timestamp: string }).timestamp);
  });

  test('defaults to a chat from system with data null', async () => {
    const { test, post } = world();
    const { socket } = test.connect('alice', { room: 'r' });
    await delivered();
    await post('/api/rooms/r/messages', {});
    await post('/api/rooms/r/messages', { type: 'notification', event: '', data: [1, 'a', null] });
    await delivered();
    expect(messages(socket)).toMatchObject([
      { type: 'chat', from: 'system', data: null },
      { type: 'notification', from: 'system', data: [1, 'a', null] },
    ]);
    expect(socket.frames.at(-1)).not.toHaveProperty('event');
  });

  test('stores a message in the history unless it is ephemeral', async () => {
    const { test, post, get } = world();
    const { socket } = test.connect('alice', { room: 'r' });
    await delivered();
    await post('/api/rooms/r/messages', { data: 'kept' });
    await post('/api/rooms/r/messages', { data: 'gone', ephemeral: true });
    await delivered();
    expect(messages(socket)).toMatchObject([{ data: 'kept' }, { data: 'gone', ephemeral: true }]);
    expect(field(await get('/api/rooms/r/history'), 'messages')).toMatchObject([{ data: 'kept' }]);
  });

  test('accepts the largest body and leaves its data unchanged', async () => {
    const { test, post } = world({ maxBodyBytes: 1_000 });
    const { socket } = test.connect('alice', { room: 'r' });
    await delivered();
    const body = '{"data":{"__proto__":{"x":1},"n":1.5e-7,"s":"\\u2028é😀\\u0000"}}'.padEnd(1_000);
    expect(Buffer.byteLength(body)).toBeGreaterThan(1_000);
    expect((await post('/api/rooms/r/messages', body)).status).toBe(413);
    expect((await post('/api/rooms/r/messages', body.trimEnd())).status).toBe(200);
    await delivered();
    const [message] = messages(socket) as { data: unknown }[];
    expect(JSON.stringify(message?.data)).toBe(JSON.stringify((JSON.parse(body) as { data: unknown }).data));
  });

  test.each([
    [{ type: 'system' }, 'invalid_request', 'type must be chat or notification'],
    [{ event: 7 }, 'invalid_request', 'event must be a string'],
    [{ ephemeral: 'yes' }, 'invalid_request', 'ephemeral must be true or false'],
    [{ from: 'conn:1' }, 'invalid_user_id', /^from must have 1 to 256 printable characters/],
    [{ from: '' }, 'invalid_user_id', /^from must/],
    [{ from: 'a\r\nb' }, 'invalid_user_id', /^from must/],
    [[], 'invalid_request', 'the body must be a JSON object'],
    ['"text"', 'invalid_request', 'the body must be a JSON object'],
  ])('refuses %j', async (body, code, error) => {
    const answer = await world().post('/api/rooms/r/messages', body);
    expect(answer).toMatchObject({ status: 400, body: { code } });
    expect(field(answer, 'error')).toMatch(error);
  });

  test.each(['a%20b', '%0d%0aX-Evil:1', '.r', '@global', 'r'.repeat(129), 'caf%C3%A9', '%2e%2e%2fr'])(
    'refuses the room %s',
    async (room) => {
      const answer = await world().post(`/api/rooms/${room}/messages`, {});
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_room' } });
    },
  );

  test('refuses data that is nested too deeply', async () => {
    const deep = `{"data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    const answer = await world().post('/api/rooms/r/messages', deep);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('POST /api/event', () => {
  test('broadcasts with event message unless it has one', async () => {
    const { test, post } = world();
    const carol = test.connect('carol', { room: 'r' }, channelDialect);
    const alice = test.connect('alice', { room: 'r' });
    await delivered();
    const first = await post('/api/event', { channel: 'r', payload: { a: 1 } });
    await post('/api/event', { channel: 'r', event: 'tick' });
    await delivered();
    expect(first.body).toEqual({ status: 'ok', message_id: expect.any(String) as string });
    expect(messages(carol.socket)).toMatchObject([
      { type: 'broadcast', event: 'message', payload: { a: 1 }, id: field(first, 'message_id') },
      { type: 'broadcast', event: 'tick', payload: null },
    ]);
    expect(carol.socket.frames.at(-1)).not.toHaveProperty('user_id');
    expect(messages(alice.socket)).toMatchObject([
      { type: 'chat', event: 'message', from: 'system', data: { a: 1 } },
      { type: 'chat', event: 'tick', data: null },
    ]);
  });

  test.each([{}, { channel: null }, { channel: 5 }, { channel: '' }, { channel: '@global' }])(
    'refuses %j',
    async (body) => {
      const answer = await world().post('/api/event', body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_room' } });
      expect(field(answer, 'error')).toMatch(/^channel must have 1 to 128/);
    },
  );
});

describe('POST /api/broadcast', () => {
  test('reaches every connection, in a room or not, and is not stored', async () => {
    const { test, post, get } = world();
    const alice = test.connect('alice');
    const carol = test.connect('carol', { room: 'r' }, channelDialect);
    await delivered();
    carol.send({ type: 'subscribe', channel: '@global' });
    await delivered();
    const answer = await post('/api/broadcast', { data: 'noon' });
    await delivered();
    const { id, timestamp } = answer.body as { id: string; timestamp: string };
    const expected = { id, type: 'notification', from: 'system', data: 'noon', timestamp, ephemeral: true };
    expect(messages(alice.socket)).toEqual([expected]);
    expect(messages(carol.socket)).toMatchObject([{ channel: '@global', event: 'notification', id }]);
    expect(field(await get('/api/rooms/r/history'), 'messages')).toEqual([]);
  });

  test('refuses a type that only the server sends', async () => {
    const answer = await world().post('/api/broadcast', { type: 'presence' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'type must be chat or notification' } });
  });
});

describe('POST /api/users/{user}/messages', () => {
  test('reaches all connections of the user and no other', async () => {
    const { test, post } = world();
    const one = test.connect('a/b ü');
    const two = test.connect('a/b ü');
    const other = test.connect('bob');
    await delivered();
    const answer = await post(`/api/users/${encodeURIComponent('a/b ü')}/messages`, { data: 1 });
    await delivered();
    const { id, timestamp } = answer.body as { id: string; timestamp: string };
    expect(answer.status).toBe(200);
    for (const { socket } of [one, two]) {
      expect(messages(socket)).toMatchObject([{ id, to: 'a/b ü', from: 'system', data: 1, timestamp }]);
    }
    expect(messages(other.socket)).toEqual([]);
  });

  test('accepts a name with a percent sign', async () => {
    const { test, post } = world();
    const { socket } = test.connect('100%25');
    await post('/api/users/100%2525/messages', { data: 1 });
    await delivered();
    expect(messages(socket)).toHaveLength(1);
  });

  test.each(['system', 'conn:1', '@all', '%0d%0a', '%00', 'u'.repeat(257), '%E2%80%AE'])(
    'refuses the user %s',
    async (user) => {
      const answer = await world().post(`/api/users/${user}/messages`, {});
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_user_id' } });
    },
  );

  test.each(['%', '%zz', '%ff', 'a%c3'])('refuses %s, which decodes to nothing', async (user) => {
    const answer = await world().post(`/api/users/${user}/messages`, {});
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('POST /api/messages', () => {
  test('publishes and answers in order; an invalid message does not stop the others', async () => {
    const { test, post } = world();
    const { socket } = test.connect('alice', { room: 'r' });
    await delivered();
    const answer = await post('/api/messages', {
      messages: [
        { room: 'r', data: 0 },
        { room: '/', data: 1 },
        { room: 'r', data: 2, from: 'bob' },
        7,
        { room: 'r', type: 'ack' },
        { room: 'r', data: 5, type: 'notification', event: 'e' },
      ],
    });
    await delivered();
    const published = messages(socket) as { id: string; data: number }[];
    expect(published.map(({ data }) => data)).toEqual([0, 2, 5]);
    const [first, second, third] = published.map(({ id }) => ({ id }));
    expect(answer.status).toBe(200);
    expect(field(answer, 'results')).toMatchObject([
      first,
      { code: 'invalid_room' },
      second,
      { code: 'invalid_request', error: 'the message must be a JSON object' },
      { code: 'invalid_request', error: 'type must be chat or notification' },
      third,
    ]);
  });

  test('accepts 1,000 messages and refuses 1,001 as a whole', async () => {
    const { post, get } = world();
    const batch = (count: number): object => ({
      messages: Array.from({ length: count }, (_, n) => ({ room: 'r', data: n })),
    });
    expect(await post('/api/messages', batch(1_001))).toMatchObject({
      status: 400,
      body: { code: 'too_many_messages' },
    });
    expect(field(await get('/api/rooms/r/history'), 'messages')).toEqual([]);
    const answer = await post('/api/messages', batch(1_000));
    expect(field(answer, 'results')).toHaveLength(1_000);
  });

  test('accepts a batch of 1 MiB, however small the limit of a single message', async () => {
    const { post } = world({ maxBodyBytes: 1_000 });
    const body = (bytes: number): string => {
      const text = JSON.stringify({
        messages: Array.from({ length: 1_000 }, () => ({ room: 'r', data: 'x'.repeat(900) })),
      });
      return text.padEnd(bytes);
    };
    expect((await post('/api/messages', body(1_048_576))).status).toBe(200);
    expect(await post('/api/messages', body(1_048_577))).toMatchObject({
      status: 413,
      body: { code: 'too_large' },
    });
  });

  test('refuses a single message that would be too large alone', async () => {
    const { post } = world({ maxBodyBytes: 200 });
    const large = { room: 'r', data: 'x'.repeat(200) };
    const answer = await post('/api/messages', { messages: [large, { room: 'r' }] });
    expect(field(answer, 'results')).toMatchObject([
      { code: 'too_large' },
      { id: expect.any(String) as string },
    ]);
  });

  test('accepts an empty batch', async () => {
    expect((await world().post('/api/messages', { messages: [] })).body).toEqual({ results: [] });
  });

  test.each([[{}], [{ messages: null }], [{ messages: { room: 'r' } }], [[]]])('refuses %j', async (body) => {
    const answer = await world().post('/api/messages', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('a POST that publishes, without a body,', () => {
  test.each([
    '/api/event',
    '/api/rooms/r/messages',
    '/api/messages',
    '/api/broadcast',
    '/api/users/u/messages',
  ])('is refused and reaches no client: %s', async (path) => {
    const { test, ask } = world();
    const sockets = [test.connect('u', { room: 'r' }), test.connect('alice')].map(({ socket }) => socket);
    await delivered();
    const empty = [{}, { headers: { 'Content-Type': 'application/json' } }, { body: '' }, { body: 'null' }];
    for (const request of empty) {
      const answer = await ask('POST', path, request);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(field(answer, 'error')).toBe('the body must be a JSON object');
    }
    await delivered();
    expect(sockets.flatMap(messages)).toEqual([]);
  });
});
