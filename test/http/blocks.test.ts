import { bearer, delivered, world } from './world.ts';
import { describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/core/ports/authenticator.ts';
import { UNRESTRICTED } from '../../src/core/base/permissions.ts';

const OK = { status: 200, body: { status: 'ok' } };

/** Every token is of a user of the same name, issued one second after 1970. */
const authenticator: Authenticator = {
  authenticate: (userId) =>
    Promise.resolve({
      userId,
      permissions: UNRESTRICTED,
      tokenId: `id of ${userId}`,
      issuedAt: 1_000,
      hasToken: true,
    }),
};
const token = (userId: string) => ({
  principal: {
    userId,
    permissions: UNRESTRICTED,
    tokenId: `id of ${userId}`,
    issuedAt: 1_000,
    hasToken: true,
  },
});

describe('POST /api/users/{user}/block', () => {
  test('closes every connection of the user with 4403 and the reason, and no other', async () => {
    const { test, post } = world();
    const [one, two, other] = [
      test.connect('alice'),
      test.connect('alice', { room: 'r' }),
      test.connect('bob'),
    ];
    await delivered();
    expect(await post('/api/users/alice/block', { seconds: 60, reason: 'spam' })).toMatchObject(OK);
    expect([one, two, other].map(({ socket }) => socket.closeCode)).toEqual([4403, 4403, undefined]);
    expect(test.connect('alice').socket.closeCode).toBe(4403);
    test.clock.advance(60_001);
    expect(test.connect('alice').socket.closeCode).toBeUndefined();
  });

  test('is told and listed until it is removed', async () => {
    const { ask, get, post } = world();
    const until = '2030-01-01T00:00:00.000Z';
    for (const user of ['bob', 'alice']) await post(`/api/users/${user}/block`, { until, reason: 'spam' });
    const row = { user_id: 'alice', until, reason: 'spam', since: expect.any(String) as unknown };
    expect((await get('/api/users/alice/block')).body).toEqual(row);
    const first = (await get('/api/blocks?limit=1')).body as { cursor: string };
    expect(first).toEqual({ blocks: [row], cursor: expect.any(String) });
    expect((await get(`/api/blocks?cursor=${first.cursor}`)).body).toMatchObject({
      blocks: [{ user_id: 'bob' }],
      cursor: null,
    });
    expect(await ask('DELETE', '/api/users/alice/block')).toMatchObject(OK);
    expect(await ask('DELETE', '/api/users/alice/block')).toMatchObject(OK);
    expect(await get('/api/users/alice/block')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test.each([
    [{}, 'the body must have either seconds or until'],
    [{ seconds: 1, until: '2030-01-01T00:00:00Z' }, 'the body must have either seconds or until'],
    [{ seconds: 0 }, 'seconds must be a whole number from 1 to 3155760000'],
    [{ seconds: '5' }, 'seconds must be a whole number from 1 to 3155760000'],
    [{ until: 'tomorrow' }, 'until must be a time of RFC 3339, such as 2030-01-01T00:00:00Z'],
    [{ until: '1969-01-01T00:00:00Z' }, 'until must be in the future'],
    [{ seconds: 1, reason: 5 }, 'reason must be a string of at most 256 characters'],
  ])('refuses %j', async (body, error) => {
    expect(await world().post('/api/users/alice/block', body)).toMatchObject({
      status: 400,
      body: { error },
    });
  });

  test('refuses the user’s token over HTTP with 403, and a guest of that name', async () => {
    const { get, post } = world({
      authenticator,
      guest: { login: (userId) => Promise.resolve({ userId, token: 't', expiresAt: 0 }) },
    });
    await post('/api/users/alice/block', { seconds: 60 }, bearer('admin'));
    const refused = { status: 403, body: { error: 'the user is blocked', code: 'blocked' } };
    expect(await get('/api/rooms', { headers: bearer('alice') })).toMatchObject(refused);
    expect(await post('/api/auth/guest', { username: 'alice' })).toMatchObject(refused);
    expect(await get('/api/rooms', { headers: bearer('bob') })).toMatchObject({ status: 200 });
  });

  test('is refused with 429 once there are too many', async () => {
    const { test, post } = world();
    const until = test.clock.now() + 60_000;
    for (let n = 0; n < 100_000; n += 1) await test.pod.denylist.add({ kind: 'token', jti: `${n}`, until });
    const refused = { status: 429, body: { code: 'too_many' } };
    expect(await post('/api/users/alice/block', { seconds: 60 })).toMatchObject(refused);
    expect(await post('/api/tokens/revoke', { jti: 'x' })).toMatchObject(refused);
    expect(await post('/api/tokens/revoke', { jti: '7' })).toMatchObject(OK);
  });
});

describe('POST /api/tokens/revoke', () => {
  test('closes the connections with that token with 4401, and refuses it with 401', async () => {
    const { test, get, post } = world({ authenticator });
    const one = test.connect('alice', {}, undefined, token('alice'));
    const other = test.connect('bob', {}, undefined, token('bob'));
    const { body } = await post('/api/tokens/revoke', { jti: 'id of alice' }, bearer('admin'));
    expect(body).toEqual({ status: 'ok', until: expect.stringMatching(/Z$/) });
    expect([one, other].map(({ socket }) => socket.closeCode)).toEqual([4401, undefined]);
    expect(await get('/api/rooms', { headers: bearer('alice') })).toMatchObject({
      status: 401,
      body: { code: 'token_revoked' },
    });
  });

  test('revokes what a user was given before a moment, in seconds or RFC 3339', async () => {
    const { get, post } = world({ authenticator });
    const status = async (user: string): Promise<number> =>
      (await get('/api/rooms', { headers: bearer(user) })).status;
    await post('/api/tokens/revoke', { user_id: 'alice', issued_before: 1 }, bearer('admin'));
    await post(
      '/api/tokens/revoke',
      { user_id: 'bob', issued_before: '1970-01-01T00:00:02Z' },
      bearer('admin'),
    );
    expect([await status('alice'), await status('bob'), await status('carol')]).toEqual([200, 401, 200]);
  });

  test('leaves connections without a token alone', async () => {
    const { test, post } = world();
    const { socket } = test.connect('alice');
    await post('/api/tokens/revoke', { user_id: 'alice', issued_before: '2030-01-01T00:00:00Z' });
    expect(socket.closeCode).toBeUndefined();
  });

  test('is kept until expires_at, and without it for 30 days', async () => {
    const { test, post } = world();
    const until = async (body: object): Promise<unknown> =>
      ((await post('/api/tokens/revoke', body)).body as { until: string }).until;
    expect(await until({ jti: 'a', expires_at: '2030-01-01T01:00:00+01:00' })).toBe(
      '2030-01-01T00:00:00.000Z',
    );
    expect(await until({ jti: 'b' })).toBe(new Date(test.clock.now() + 30 * 86_400_000).toISOString());
    // A token that has expired needs no entry.
    expect(await until({ jti: 'c', expires_at: 1 })).toBe('1970-01-01T00:00:01.000Z');
    expect(test.pod.denylist.size).toBe(2);
  });

  test.each([
    {},
    { jti: '' },
    { jti: 'x', user_id: 'alice' },
    { user_id: 'alice' },
    { issued_before: 1 },
    { user_id: 'alice', issued_before: 'x' },
    { jti: 'x', expires_at: -1 },
  ])('refuses %j', async (body) => {
    expect((await world().post('/api/tokens/revoke', body)).status).toBe(400);
  });
});

test('A token that is denied is rejected in a session, with the code', async () => {
  const { test } = world();
  const pod = { ...test.pod, authenticator };
  const { refresh } = await import('../../src/core/commands/refresh.ts');
  const { connection } = test.connect('alice', {}, undefined, token('alice'));
  await test.pod.denylist.add({ kind: 'token', jti: 'id of bob', until: test.clock.now() + 60_000 });
  await expect(refresh(pod, connection, { kind: 'auth', token: 'bob' })).rejects.toMatchObject({
    rejection: { code: 'token_revoked' },
  });
});
