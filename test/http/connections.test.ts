import { delivered, world } from './world.ts';
import { describe, expect, test } from 'vitest';
import { channelDialect } from '../../src/protocol/dialects.ts';
import { RuleList } from '../../src/core/base/permissions.ts';

const NOTHING = new RuleList([]);
/** A user whose token permits nothing. */
const as = (userId: string) => ({ principal: { userId, permissions: NOTHING } });
const EVENTS = ['joined', 'left'];

describe('GET /api/users/{user}', () => {
  test('lists the connections of the user with their rooms, and nobody else’s', async () => {
    const { test, get } = world();
    const { connection } = test.connect('alice', { room: 'r' });
    test.connect('bob', { room: 'r' });
    await delivered();
    const { body } = await get('/api/users/alice');
    expect(body).toEqual({
      user_id: 'alice',
      connections: [{ id: connection.connectionId, pod: 'pod', rooms: ['r'], since: expect.any(String) }],
    });
  });

  test('is empty for an unknown user, and refuses an id that no user can have', async () => {
    const { get } = world();
    expect(await get('/api/users/nobody')).toMatchObject({
      status: 200,
      body: { user_id: 'nobody', connections: [] },
    });
    expect(await get('/api/users/conn:x')).toMatchObject({ status: 400, body: { code: 'invalid_user_id' } });
  });

  test('lists a user with so many connections that one answer cannot hold them', async () => {
    const { test, get } = world();
    for (let n = 0; n < 2_100; n += 1) test.connect('alice');
    await delivered();
    const { connections } = (await get('/api/users/alice')).body as { connections: { id: string }[] };
    expect(new Set(connections.map(({ id }) => id)).size).toBe(2_100);
  });
});

describe('GET /api/connections', () => {
  test('gives pages that together have each connection once', async () => {
    const { test, get } = world();
    const ids = Array.from({ length: 7 }, (_, n) => test.connect(`u${n}`).connection.connectionId);
    await delivered();
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await get(`/api/connections?limit=3&cursor=${cursor}`);
      const page = body as { connections: { id: string; user_id: string }[]; cursor: string | null };
      seen.push(...page.connections.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(seen).toEqual(ids.toSorted());
  });

  test('refuses what was no cursor', async () => {
    expect(await world().get('/api/connections?cursor=%7E')).toMatchObject({
      status: 400,
      body: { error: 'cursor must be the cursor of a previous answer' },
    });
  });
});

describe('GET /api/rooms/{room}', () => {
  test('counts connections and members, and names the rule', async () => {
    const { test, get } = world();
    test.rules.set('news-1', { match: 'news-*' });
    for (const user of ['alice', 'alice', 'bob']) test.connect(user, { room: 'news-1' });
    test.connect('carol', { room: 'news-10' });
    await delivered();
    expect((await get('/api/rooms/news-1')).body).toEqual({
      room: 'news-1',
      connections: 3,
      members: 2,
      rule: 'news-*',
    });
  });

  test('an unknown room is empty and has no rule', async () => {
    const { test, get } = world();
    test.connect('carol', { room: 'nowhere-1' });
    await delivered();
    expect(await get('/api/rooms/nowhere')).toMatchObject({
      status: 200,
      body: { room: 'nowhere', connections: 0, members: 0, rule: null },
    });
  });
});

describe('POST /api/users/{user}/join', () => {
  test('joins every connection of the user, without asking for permission', async () => {
    const { test, get, post } = world();
    const one = test.connect('alice', {}, undefined, as('alice'));
    one.send({ type: 'ping' });
    const two = test.connect('alice', {}, channelDialect, as('alice'));
    test.connect('bob');
    expect(await post('/api/users/alice/join', { room: 'r' })).toMatchObject({
      status: 200,
      body: { status: 'ok', connections: 2 },
    });
    await delivered();
    expect(one.socket.frames.map(({ event }) => event)).toContain('joined');
    expect(two.connection.membership('r')?.present).toBe(false);
    expect((await get('/api/rooms/r')).body).toMatchObject({ connections: 2, members: 1 });
  });

  test('permits history and presence in that room, and not publishing', async () => {
    const { test, post } = world();
    const { connection } = test.connect('alice', {}, undefined, as('alice'));
    await post('/api/users/alice/join', { room: 'r' });
    const may = (['join', 'history', 'presence', 'publish'] as const).filter((one) =>
      connection.may(one, 'r'),
    );
    expect(may).toEqual(['join', 'history', 'presence']);
    expect(connection.may('join', 's')).toBe(false);
  });

  test('stays permitted for 24 hours, also on a new connection, and then no longer', async () => {
    const { test, post } = world();
    await post('/api/users/alice/join', { room: 'r' });
    const joins = async (): Promise<boolean> => {
      const { connection, send } = test.connect('alice', {}, undefined, as('alice'));
      send({ type: 'join', room: 'r' });
      await delivered();
      return connection.membership('r') !== undefined;
    };
    expect(await joins()).toBe(true);
    test.clock.advance(86_399_000);
    expect(await joins()).toBe(true);
    test.clock.advance(1_001);
    expect(await joins()).toBe(false);
  });

  test('counts no connection that is in the maximum number of rooms, which it is told', async () => {
    const { test, post } = world({ limits: { maxRoomsPerConnection: 1 } });
    const { socket } = test.connect('alice', { room: 'full' });
    await delivered();
    expect((await post('/api/users/alice/join', { room: 'r' })).body).toEqual({
      status: 'ok',
      connections: 0,
    });
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({
      type: 'error',
      room: 'r',
      data: { code: 'too_many_rooms' },
    });
  });

  test('is ok if the user has no connection, and refuses a bad room', async () => {
    const { post } = world();
    expect((await post('/api/users/nobody/join', { room: 'r' })).body).toEqual({
      status: 'ok',
      connections: 0,
    });
    expect(await post('/api/users/nobody/join', { room: '@x' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_room' },
    });
    expect((await post('/api/users/nobody/join', {})).status).toBe(400);
  });
});

describe('POST /api/users/{user}/leave', () => {
  test('takes the room from every connection, and it is not permitted any more', async () => {
    const { test, get, post } = world();
    const { send, socket, connection } = test.connect('alice', {}, undefined, as('alice'));
    await post('/api/users/alice/join', { room: 'r' });
    expect((await post('/api/users/alice/leave', { room: 'r' })).body).toEqual({
      status: 'ok',
      connections: 1,
    });
    await delivered();
    expect(socket.frames.map(({ event }) => event).filter((event) => EVENTS.includes(String(event)))).toEqual(
      ['joined', 'left'],
    );
    expect((await get('/api/rooms/r')).body).toMatchObject({ connections: 0, members: 0 });
    send({ type: 'join', room: 'r', ref: 'again' });
    await delivered();
    expect(socket.frames.at(-1)).toMatchObject({ type: 'error', ref: 'again', data: { code: 'forbidden' } });
    expect(connection.memberships).toEqual([]);
  });

  test('counts only connections that were in the room', async () => {
    const { test, post } = world();
    test.connect('alice');
    await delivered();
    expect((await post('/api/users/alice/leave', { room: 'r' })).body).toEqual({
      status: 'ok',
      connections: 0,
    });
  });
});
