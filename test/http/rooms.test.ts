import { delivered, field, world, type World } from './world.ts';
import { describe, expect, test } from 'vitest';
import { messageDialect } from '../../src/protocol/dialects.ts';

describe('GET /api/rooms', () => {
  test('lists rooms by name with their connections, page by page', async () => {
    const { test, get } = world({ limits: { maxRoomsPerConnection: 50 } });
    for (const room of ['b', 'a', 'c', 'B', 'a']) test.connect('u', { room });
    await delivered();
    const first = await get('/api/rooms?limit=2');
    expect(first.body).toEqual({
      rooms: [
        { room: 'B', connections: 1 },
        { room: 'a', connections: 2 },
      ],
      cursor: expect.any(String) as string,
    });
    // A page stays where it was while rooms come and go.
    test.connect('u', { room: 'A' });
    test.connect('u', { room: 'bb' });
    await delivered();
    const second = await get(`/api/rooms?limit=2&cursor=${String(field(first, 'cursor'))}`);
    expect(field(second, 'rooms')).toMatchObject([{ room: 'b' }, { room: 'bb' }]);
    const third = await get(`/api/rooms?limit=2&cursor=${String(field(second, 'cursor'))}`);
    expect(third.body).toEqual({ rooms: [{ room: 'c', connections: 1 }], cursor: null });
  });

  test('lists those whose names begin with the prefix', async () => {
    const { test, get } = world();
    for (const room of ['game-1', 'game-2', 'gam', 'chat']) test.connect('u', { room });
    await delivered();
    expect(field(await get('/api/rooms?prefix=game-'), 'rooms')).toMatchObject([
      { room: 'game-1' },
      { room: 'game-2' },
    ]);
    expect(field(await get('/api/rooms?prefix=x'), 'rooms')).toEqual([]);
  });

  test('returns 100 by default, and at most 1,000', async () => {
    const { test, get } = world({ limits: { maxRoomsPerConnection: 2_000 } });
    const { connection } = test.connect('u');
    for (let n = 0; n < 1_001; n += 1) test.pod.hub.openRoom(`r${n}`).add(connection);
    expect(field(await get('/api/rooms'), 'rooms')).toHaveLength(100);
    const most = await get('/api/rooms?limit=1000');
    expect(field(most, 'rooms')).toHaveLength(1_000);
    const last = await get(`/api/rooms?cursor=${String(field(most, 'cursor'))}`);
    expect(last.body).toMatchObject({ rooms: [{ room: 'r999' }], cursor: null });
  });

  test.each([
    ['limit=0', /^limit must be a whole number from 1 to 1000$/],
    ['limit=1001', /^limit must/],
    ['limit=1.5', /^limit must/],
    ['limit=ten', /^limit must/],
    ['limit=1&limit=2', /^limit must/],
    ['prefix=%20', /^prefix must be the beginning of a room name$/],
    ['prefix=a&prefix=b', /^prefix must/],
    ['cursor=%20', /^cursor must/],
    ['cursor=Li4', /^cursor must/],
  ])('refuses ?%s', async (query, error) => {
    const answer = await world().get(`/api/rooms?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(field(answer, 'error')).toMatch(error);
  });
});

describe('GET /api/rooms/{room}/presence', () => {
  test('lists all members, also where a joined frame would not', async () => {
    const { test, get } = world({ limits: { presenceEventsLimit: 2 } });
    for (const user of ['a', 'b', 'c', 'd']) test.connect(user, { room: 'r' });
    await delivered();
    const answer = await get('/api/rooms/r/presence');
    expect(field(answer, 'members')).toHaveLength(4);
    expect(answer.body).toMatchObject({
      room: 'r',
      members: [
        { user_id: 'a', status: 'online', meta: {}, updated_at: test.clock.now() / 1_000 },
        {},
        {},
        {},
      ],
    });
  });

  test('returns status and meta as the user set them', async () => {
    const { test, get } = world();
    const quote = test.connect('"q"', { room: 'r' });
    await delivered();
    quote.send({ type: 'presence', room: 'r', data: { status: 'away', meta: { a: ['"', 1] } } });
    await delivered();
    expect(field(await get('/api/rooms/r/presence'), 'members')).toMatchObject([
      { user_id: '"q"', status: 'away', meta: { a: ['"', 1] } },
    ]);
  });

  test('is empty for a room without members', async () => {
    expect((await world().get('/api/rooms/r/presence')).body).toEqual({ room: 'r', members: [] });
  });
});

describe('GET /api/rooms/{room}/history', () => {
  async function publish({ post }: World, count: number, start = 0): Promise<string[]> {
    const ids: string[] = [];
    for (let n = start; n < start + count; n += 1) {
      ids.push(String(field(await post('/api/rooms/r/messages', { data: n }), 'id')));
    }
    return ids;
  }

  test('returns the newest messages, oldest first, as members received them', async () => {
    const here = world();
    const { socket } = here.test.connect('alice', { room: 'r' });
    await delivered();
    const ids = await publish(here, 5);
    await delivered();
    const answer = await here.get('/api/rooms/r/history?limit=2');
    const received = socket.frames.filter(({ type }) => type === 'chat');
    expect(answer.body).toEqual({ room: 'r', messages: received.slice(-2), position: ids[4], more: false });
  });

  test('continues after a position, page by page, and reports that nothing is missing', async () => {
    const here = world();
    const ids = await publish(here, 5);
    const first = await here.get(`/api/rooms/r/history?after=${ids[0]}&limit=3`);
    expect(first.body).toMatchObject({
      messages: [{ data: 1 }, { data: 2 }, { data: 3 }],
      position: ids[3],
      more: true,
      recovered: true,
    });
    const rest = await here.get(`/api/rooms/r/history?after=${ids[3]}&limit=3`);
    expect(rest.body).toMatchObject({
      messages: [{ data: 4 }],
      position: ids[4],
      more: false,
      recovered: true,
    });
    const none = await here.get(`/api/rooms/r/history?after=${ids[4]}`);
    expect(none.body).toEqual({ room: 'r', messages: [], position: ids[4], more: false, recovered: true });
  });

  test('reports why messages are missing, and returns all stored ones', async () => {
    const here = world({ limits: { historySize: 2 } });
    const [old] = await publish(here, 4);
    expect((await here.get(`/api/rooms/r/history?after=${old}`)).body).toMatchObject({
      messages: [{ data: 2 }, { data: 3 }],
      recovered: false,
      reason: 'trimmed',
    });
    expect((await here.get('/api/rooms/r/history?after=nonsense')).body).toMatchObject({
      messages: [{ data: 2 }, { data: 3 }],
      recovered: false,
      reason: 'unknown_position',
    });
    expect((await here.get('/api/rooms/s/history?after=x.1.1-1')).body).toMatchObject({
      messages: [],
      recovered: false,
      reason: 'history_lost',
    });
  });

  test('treats an empty position as absent', async () => {
    const answer = await world().get('/api/rooms/r/history?after=');
    expect(answer.body).not.toHaveProperty('recovered');
  });

  test('returns a position also for a room without messages, after which nothing is missing', async () => {
    const here = world();
    const alice = here.test.connect('alice', {}, messageDialect);
    alice.send({ type: 'join', room: 'r' });
    await delivered();
    expect(alice.socket.frames.at(-1)).toMatchObject({ event: 'joined' });
    const position = String(field(await here.get('/api/rooms/r/history'), 'position'));
    await publish(here, 1);
    const answer = await here.get(`/api/rooms/r/history?after=${position}`);
    expect(answer.body).toMatchObject({ messages: [{ data: 0 }], recovered: true });
  });

  test.each(['limit=0', 'limit=1001', 'limit=-1', 'limit=x', 'after=a&after=b'])(
    'refuses ?%s',
    async (query) => {
      const answer = await world().get(`/api/rooms/r/history?${query}`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );
});
