import { authenticator, bearer, delivered, field, world, type World } from './world.ts';
import { describe, expect, test } from 'vitest';

const KEY = { 'Idempotency-Key': 'k-1' };

/** What a member of the room, who also hears what is for everybody and for her, was sent. */
async function listener({ test }: World): Promise<() => unknown[]> {
  const { socket } = test.connect('alice', { room: 'r' });
  await delivered();
  return () => socket.frames.filter(({ type }) => type === 'chat' || type === 'notification');
}

describe('Idempotency-Key', () => {
  test.each([
    ['/api/event', { channel: 'r' }, 'message_id'],
    ['/api/rooms/r/messages', {}, 'id'],
    ['/api/rooms/r/messages', { ephemeral: true }, 'id'],
    ['/api/broadcast', {}, 'id'],
    ['/api/users/alice/messages', {}, 'id'],
  ])('makes a repeated POST %s %j return the first id and deliver nothing twice', async (path, body, id) => {
    const here = world();
    const received = await listener(here);
    const first = await here.post(path, body, KEY);
    here.test.clock.advance(1_000);
    const again = await here.post(path, body, KEY);
    await delivered();
    expect(again.status).toBe(200);
    expect(field(again, id)).toBe(field(first, id));
    // With the time of the first one, which is the message's as well.
    expect(again.body).toEqual(first.body);
    const { timestamp } = first.body as { timestamp?: string };
    if (timestamp !== undefined) expect(received()).toMatchObject([{ timestamp }]);
    expect(received()).toHaveLength(1);
    await here.post(path, body, { 'Idempotency-Key': 'k-2' });
    await here.post(path, body);
    await delivered();
    expect(received()).toHaveLength(3);
  });

  test('covers a batch as a whole, message by message', async () => {
    const here = world();
    const received = await listener(here);
    const messages = [{ room: 'r', data: 0 }, { room: '!' }, { room: 'r', data: 0 }];
    const first = await here.post('/api/messages', { messages }, KEY);
    const again = await here.post('/api/messages', { messages }, KEY);
    await delivered();
    expect(again.body).toEqual(first.body);
    expect(received()).toHaveLength(2);
    // The key of a batch is none of a single message.
    await here.post('/api/rooms/r/messages', {}, KEY);
    await delivered();
    expect(received()).toHaveLength(3);
  });

  test('holds for five minutes', async () => {
    const here = world();
    const received = await listener(here);
    await here.post('/api/rooms/r/messages', {}, KEY);
    here.test.clock.advance(299_999);
    await here.post('/api/rooms/r/messages', {}, KEY);
    await delivered();
    expect(received()).toHaveLength(1);
    here.test.clock.advance(1);
    await here.post('/api/rooms/r/messages', {}, KEY);
    await delivered();
    expect(received()).toHaveLength(2);
  });

  test('holds per room, per API key and per user', async () => {
    const here = world({ apiKeys: ['one', 'two'], authenticator });
    const post = async (room: string, who: Record<string, string>): Promise<unknown> =>
      field(await here.post(`/api/rooms/${room}/messages`, {}, { ...KEY, ...who }), 'id');
    const callers = [
      { 'X-API-Key': 'one' },
      { 'X-API-Key': 'two' },
      bearer('api-token'),
      bearer('other-api-token'),
    ];
    const ids = new Set<unknown>();
    for (const caller of callers) {
      for (const room of ['r', 's']) {
        const id = await post(room, caller);
        expect(await post(room, caller)).toBe(id);
        ids.add(id);
      }
    }
    expect(ids.size).toBe(8);
    expect(ids).not.toContain(undefined);
  });

  test('is never mistaken for the ref of a client', async () => {
    const here = world({ authenticator });
    const member = here.test.connect('api-token', { room: 'r' });
    await delivered();
    member.send({ data: 1, ref: 'k-1' });
    await delivered();
    await here.post('/api/rooms/r/messages', { from: 'api-token' }, { ...KEY, ...bearer('api-token') });
    await delivered();
    expect(member.socket.frames.filter(({ type }) => type === 'chat')).toHaveLength(2);
  });

  test.each(['', 'x'.repeat(65), 'caf\u00e9', 'a\tb'])('refuses %j', async (key) => {
    const answer = await world().post('/api/rooms/r/messages', {}, { 'Idempotency-Key': key });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_idempotency_key' } });
    expect(field(answer, 'error')).toBe('Idempotency-Key must be 1 to 64 printable ASCII characters');
  });

  test('may have 64 characters', async () => {
    const answer = await world().post('/api/broadcast', {}, { 'Idempotency-Key': '~'.repeat(64) });
    expect(answer.status).toBe(200);
  });
});
