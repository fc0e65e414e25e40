import { bearer, delivered, field, world, type World, type WorldOptions } from './world.ts';
import { describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/core/ports/authenticator.ts';
import { channelDialect } from '../../src/protocol/dialects.ts';
import type { ConnectionView, Hooks } from '../../src/core/ports/hooks.ts';
import { PersonalRoom } from '../../src/core/base/personal-room.ts';
import { readPermissions } from '../../src/core/base/permissions.ts';

/** Its tokens are `user permission permission…`; a permission `rooms=r` is a room of the claim. */
const authenticator: Authenticator = {
  authenticate(token) {
    const [userId = '', ...rest] = token.split('|');
    const permissions = readPermissions(rest.filter((one) => !one.startsWith('rooms=')));
    if (permissions === undefined) return Promise.resolve({ fault: 'invalid_token', reason: 'permissions' });
    const rooms = rest.filter((one) => one.startsWith('rooms=')).map((one) => one.slice(6));
    return Promise.resolve({ userId, permissions, rooms, claims: { sub: userId } });
  },
};

function withTokens(options: WorldOptions = {}): World {
  return world({ authenticator, ...options });
}

function hooksWith(more: Partial<Hooks>): Hooks {
  return {
    identifies: false,
    passedHeaders: [],
    connecting: () => Promise.resolve({ kind: 'allow', grant: {} }),
    joining: undefined,
    publishing: undefined,
    decidesOnce: true,
    calling: undefined,
    left: undefined,
    disconnected: () => undefined,
    ...more,
  };
}

const MESSAGES = '/api/rooms/r/messages';

describe('Publishing with a token of one’s own', () => {
  test('needs publish alone, and is from its user whatever the body says', async () => {
    const { post, test } = withTokens();
    const { socket } = test.connect('bob', { room: 'r' });
    await delivered();
    const answer = await post(MESSAGES, { data: 1, from: 'eve' }, bearer('ann|publish:r'));
    expect(answer).toMatchObject({ status: 200, body: { id: expect.any(String), room: 'r' } });
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'chat', from: 'ann', data: 1 });
    const refused = await post(MESSAGES, { data: 1 }, bearer('ann|publish:other'));
    expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });

  test('with api:* is from whom the body says', async () => {
    const { post, test } = withTokens();
    const { socket } = test.connect('bob', { room: 'r' });
    await delivered();
    await post(MESSAGES, { data: 1, from: 'eve' }, bearer('ann|api:*'));
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({ from: 'eve' });
  });

  test('opens nothing else of the API', async () => {
    const { post, get, ask } = withTokens();
    const headers = bearer('ann|publish:*|join:*|history:*|presence:*');
    expect((await post('/api/messages', { messages: [] }, headers)).status).toBe(403);
    expect((await get('/api/rooms/r', { headers })).status).toBe(403);
    expect((await ask('DELETE', MESSAGES, { headers })).status).toBe(403);
  });

  test('can be switched off', async () => {
    const { post } = withTokens({ clientHttp: false });
    expect((await post(MESSAGES, {}, bearer('ann|publish:*'))).status).toBe(403);
  });

  test('keeps the rule of the room', async () => {
    const { post, test } = withTokens();
    test.rules.set('r', { messagesPerSecond: 1, maxDataBytes: 4 });
    const headers = bearer('ann|publish:*');
    expect((await post(MESSAGES, { data: 'long' }, headers)).status).toBe(413);
    expect((await post(MESSAGES, { data: 1 }, headers)).status).toBe(200);
    const late = await post(MESSAGES, { data: 1 }, headers);
    expect(late).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(late.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect((await post(MESSAGES, { data: 1 }, bearer('bob|publish:*'))).status).toBe(200);
    test.rules.set('r', { publish: 'server' });
    expect((await post(MESSAGES, { data: 1 }, headers)).status).toBe(403);
  });

  test('has one space of keys with the refs of frames', async () => {
    const { post, test } = withTokens();
    const { socket, send } = test.connect('ann', { room: 'r' });
    await delivered();
    send({ type: 'chat', data: 1, ref: 'k' });
    await delivered();
    const ack = socket.frames.find(({ type }) => type === 'ack');
    const headers = { ...bearer('ann|publish:*'), 'Idempotency-Key': 'k' };
    const [first, second] = [await post(MESSAGES, {}, headers), await post(MESSAGES, {}, headers)];
    expect(field(first, 'id')).toBe(ack?.id);
    expect(second.body).toEqual(first.body);
  });

  test('asks the hooks, as a connection without an id', async () => {
    const asked: ConnectionView[] = [];
    const hooks = hooksWith({
      publishing: (who, { data }) => {
        asked.push(who);
        if (data === '1') return { kind: 'suppress' };
        if (data === '2') return { kind: 'refuse', rejection: { code: 'rude' as 'internal', error: 'no' } };
        return { kind: 'publish', content: { type: 'chat', data: '"new"' } };
      },
    });
    const { post, test } = withTokens({ hooks });
    const { socket } = test.connect('bob', { room: 'r' });
    await delivered();
    const headers = bearer('ann|publish:*');
    const suppressed = await post(MESSAGES, { data: 1 }, headers);
    expect(suppressed).toMatchObject({ status: 200, body: { room: 'r' } });
    expect(suppressed.body).not.toHaveProperty('id');
    expect(await post(MESSAGES, { data: 2 }, headers)).toMatchObject({ status: 403, body: { code: 'rude' } });
    await post(MESSAGES, { data: 3 }, headers);
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({ from: 'ann', data: 'new' });
    expect(asked[0]).toMatchObject({
      id: null,
      userId: 'ann',
      rooms: [],
      evidence: { claims: { sub: 'ann' }, headers: {} },
    });
    await post(MESSAGES, { data: 1 }, bearer('ann|api:*'));
    expect(asked).toHaveLength(3);
  });

  test('counts as a handshake for connect, whose answer holds for the token for ten seconds', async () => {
    let asked = 0;
    const hooks = hooksWith({
      identifies: true,
      connecting: ({ userId }) => {
        asked += 1;
        const rejection = { code: 'forbidden', error: 'no' } as const;
        if (userId === 'eve') return Promise.resolve({ kind: 'refuse', by: 'backend', rejection });
        return Promise.resolve({ kind: 'allow', grant: { permissions: readPermissions(['publish:q']) } });
      },
    });
    const { post, test } = withTokens({ hooks });
    expect((await post(MESSAGES, {}, bearer('eve|publish:*'))).status).toBe(403);
    for (let n = 0; n < 2; n += 1) expect((await post(MESSAGES, {}, bearer('ann|api:*'))).status).toBe(403);
    expect(asked).toBe(2);
    test.clock.advance(10_001);
    await post(MESSAGES, {}, bearer('ann|api:*'));
    expect(asked).toBe(3);
  });
});

describe('Reading with a token of one’s own', () => {
  const both = ['/api/rooms/r/history', '/api/rooms/r/presence'];
  const all = '|join:r|history:r|presence:r';

  test('needs what a join needs, and history or presence besides', async () => {
    const { get } = withTokens();
    const status = async (token: string): Promise<number[]> =>
      Promise.all(both.map(async (path) => (await get(path, { headers: bearer(token) })).status));
    expect(await status(`ann${all}`)).toEqual([200, 200]);
    expect(await status('ann|join:r|history:r')).toEqual([200, 403]);
    expect(await status('ann|join:r|presence:r')).toEqual([403, 200]);
    expect(await status('ann|history:r|presence:r')).toEqual([403, 403]);
    expect(await status('ann|rooms=r')).toEqual([200, 200]);
    expect(await status('ann|api:*')).toEqual([200, 200]);
  });

  test('keeps {user}, PERSONAL_ROOM and what the hooks say about the join', async () => {
    const asked: string[] = [];
    const hooks = hooksWith({
      joining: (_, room) => {
        asked.push(room);
        return { kind: 'refuse', by: 'backend', rejection: { code: 'forbidden', error: 'no' } };
      },
    });
    const { get, test } = withTokens({ hooks, personalRoom: new PersonalRoom('user-{user}') });
    test.rules.set('of-bob', { onlyUser: 'bob' });
    const headers = bearer('ann|join:*|history:*');
    const status = async (room: string): Promise<number> =>
      (await get(`/api/rooms/${room}/history`, { headers })).status;
    expect(await Promise.all(['of-bob', 'user-bob', 'r', 'user-ann'].map(status))).toEqual([
      403, 403, 403, 200,
    ]);
    expect(asked).toEqual(['r']);
    await test.pod.grants.give('ann', 'user-bob');
    expect(await status('user-bob')).toBe(200);
  });
});

describe('PUT /api/rooms/{room}/presence', () => {
  const path = '/api/rooms/r/presence';
  const headers = bearer('ann|presence:r');

  test('states the presence of the user of the token', async () => {
    const { ask, test } = withTokens();
    test.connect('ann', { room: 'r' });
    const { socket } = test.connect('bob', { room: 'r' });
    await delivered();
    const body = { status: 'away', meta: { at: 'home' } };
    expect(await ask('PUT', path, { headers, body })).toMatchObject({ status: 200, body: { status: 'ok' } });
    await delivered();
    const data = { user_id: 'ann', ...body };
    expect(socket.frames.at(-1)).toMatchObject({ type: 'presence', from: 'ann', data });
    await ask('PUT', path, { headers, body: { status: 'offline' } });
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'presence', data: { status: 'offline' } });
  });

  test('is 409 unless a connection of the user is in the room', async () => {
    const { ask, test } = withTokens();
    test.connect('ann', { room: 'other' });
    await delivered();
    const answer = await ask('PUT', path, { headers, body: { status: 'away' } });
    expect(answer).toMatchObject({ status: 409, body: { code: 'not_in_room' } });
  });

  test('is 403 for a key, without the permission, and where presence is off', async () => {
    const { ask, test } = withTokens({ apiKeys: ['k'] });
    test.connect('ann', { room: 'r' });
    await delivered();
    const body = { status: 'away' };
    for (const wrong of [{ 'X-API-Key': 'k' }, bearer('ann|join:r')]) {
      expect((await ask('PUT', path, { headers: wrong, body })).status).toBe(403);
    }
    test.rules.set('r', { presence: false });
    expect((await ask('PUT', path, { headers, body })).status).toBe(403);
  });

  test.each([{ status: 'gone' }, { meta: [] }, { meta: { a: 'x'.repeat(4_096) } }, null, undefined])(
    'refuses %j',
    async (body) => {
      const answer = await withTokens().ask('PUT', path, { headers, ...(body !== undefined && { body }) });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  test('is for a user whose connection speaks the channel dialect too', async () => {
    const { ask, test } = withTokens();
    const { send } = test.connect('ann', {}, channelDialect);
    send({ type: 'subscribe', channel: 'r' });
    await delivered();
    await delivered();
    expect((await ask('PUT', path, { headers, body: { status: 'away' } })).status).toBe(200);
  });
});

describe('While authentication is off', () => {
  test('?user_id= names the user', async () => {
    const { post, ask, test } = world();
    const { socket } = test.connect('bob', { room: 'r' });
    await delivered();
    expect((await post(`${MESSAGES}?user_id=ann`, { from: 'eve' })).status).toBe(200);
    expect((await post(MESSAGES, { from: 'eve' })).status).toBe(200);
    await delivered();
    expect(socket.frames.filter(({ type }) => type === 'chat').map(({ from }) => from)).toEqual([
      'ann',
      'eve',
    ]);
    const put = (query: string): Promise<number> =>
      ask('PUT', `/api/rooms/r/presence${query}`, { body: { status: 'away' } }).then(({ status }) => status);
    expect([await put('?user_id=bob'), await put('?user_id=ann'), await put('')]).toEqual([200, 409, 403]);
    const wrong = await post(`${MESSAGES}?user_id=system`, {});
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_user_id' } });
  });

  test('it does not count where API keys are set', async () => {
    const { post } = world({ apiKeys: ['k'] });
    expect((await post(`${MESSAGES}?user_id=ann`, {})).status).toBe(401);
  });
});
