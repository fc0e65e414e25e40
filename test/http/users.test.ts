import { type Answer, delivered, field, world } from './world.ts';
import { describe, expect, test } from 'vitest';

describe('POST /api/users/{user}/disconnect', () => {
  test('closes every connection of the user with 4403 and no other', async () => {
    const { test, post } = world();
    const one = test.connect('alice');
    const two = test.connect('alice', { room: 'r' });
    const other = test.connect('bob');
    await delivered();
    const answer = await post('/api/users/alice/disconnect', { reason: 'rules' });
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect([one, two, other].map(({ socket }) => socket.closeCode)).toEqual([4403, 4403, undefined]);
  });

  test.each([undefined, 'null', '{}', { reason: null }])(
    'is ok if the user has no connection, and needs no body: %j',
    async (body) => {
      const { ask } = world();
      for (const headers of [{}, { 'Content-Type': 'application/json' }]) {
        for (const path of ['/api/users/nobody/disconnect', '/api/connections/nobody/disconnect']) {
          const answer = await ask('POST', path, { headers, ...(body !== undefined && { body }) });
          expect(answer).toMatchObject({ status: 200, body: { status: 'ok' } });
        }
      }
    },
  );

  test('without a body refuses pages of other origins, because browsers send no preflight', async () => {
    const { ask, test } = world({ allowedOrigins: ['https://app.example.com'] });
    const { socket } = test.connect('alice');
    await delivered();
    const sent = (origin: string): Promise<Answer> =>
      ask('POST', '/api/users/alice/disconnect', { headers: { Origin: origin, Host: 'pod.example.com' } });
    for (const origin of ['https://evil.example.org', 'null', 'https://pod.example.com.evil.org']) {
      expect(await sent(origin)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(socket.closeCode).toBeUndefined();
    for (const origin of ['https://app.example.com', 'https://pod.example.com']) {
      expect((await sent(origin)).status).toBe(200);
    }
  });

  test.each<[string, Record<string, string>, number]>([
    ['with the usual port in its Host', { Host: 'pod.example.com:443' }, 200],
    [
      'behind a proxy that is trusted',
      { Host: 'pod-1:8080', 'X-Forwarded-Host': 'pod.example.com', from: '10.0.0.1' },
      200,
    ],
    [
      'as somebody says who is no such proxy',
      { Host: 'pod-1:8080', 'X-Forwarded-Host': 'pod.example.com', from: '192.0.2.1' },
      403,
    ],
  ])('without a body is for pages of the pod itself: %s', async (_, { from = '', ...named }, status) => {
    const trustProxy = { contain: (address: string) => address === '10.0.0.1' };
    const { ask } = world({ allowedOrigins: ['https://app.example.com'], trustProxy });
    const headers = { Origin: 'https://pod.example.com', ...named };
    expect((await ask('POST', '/api/users/alice/disconnect', { headers, from })).status).toBe(status);
  });

  test('refuses a reason that is not a string', async () => {
    const answer = await world().post('/api/users/alice/disconnect', { reason: 4 });
    expect(answer).toMatchObject({ status: 400, body: { error: 'reason must be a string' } });
  });
});

describe('POST /api/connections/{id}/disconnect', () => {
  test('closes that connection with 4403 and no other of its user', async () => {
    const { test, post } = world();
    const one = test.connect('alice');
    const two = test.connect('alice');
    await delivered();
    const { connectionId } = one.connection;
    expect((await post(`/api/connections/${connectionId}/disconnect`)).status).toBe(200);
    expect([one, two].map(({ socket }) => socket.closeCode)).toEqual([4403, undefined]);
  });

  test('is ok if the connection does not exist', async () => {
    expect((await world().post('/api/connections/none/disconnect')).body).toEqual({ status: 'ok' });
  });

  test.each(['a%20b', 'conn:c1', '%0d%0a', 'x'.repeat(65)])('refuses the id %s', async (id) => {
    const answer = await world().post(`/api/connections/${id}/disconnect`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(field(answer, 'error')).toMatch(/^id must be a connection id/);
  });
});

describe('POST /api/auth/guest', () => {
  const guest = {
    login: (username: string) =>
      Promise.resolve(
        username === 'system'
          ? undefined
          : { token: 't', userId: `guest:${username}`, expiresAt: Date.UTC(2026, 0, 1, 1) },
      ),
  };

  test('returns a token, the user id and the expiry', async () => {
    const answer = await world({ guest }).post('/api/auth/guest', { username: 'alice' });
    expect(answer).toMatchObject({
      status: 200,
      body: { token: 't', user_id: 'guest:alice', expires_at: '2026-01-01T01:00:00.000Z' },
    });
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
  });

  test.each([{ username: 'system' }, { username: 5 }, {}])('refuses %j', async (body) => {
    const answer = await world({ guest }).post('/api/auth/guest', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_user_id' } });
  });

  test('answers 404 to everything while it is switched off', async () => {
    for (const body of [{ username: 'alice' }, {}, '{']) {
      const answer = await world().post('/api/auth/guest', body);
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    }
  });

  test('needs no key and no token', async () => {
    const { post } = world({ guest, apiKeys: ['k'] });
    expect((await post('/api/auth/guest', { username: 'alice' })).status).toBe(200);
    expect((await post('/api/auth/guest', { username: 'alice' }, { 'X-API-Key': 'wrong' })).status).toBe(200);
  });
});
