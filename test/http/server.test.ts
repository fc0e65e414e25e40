import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Pod, startPod } from '../support/pod.ts';
import { connect } from 'node:net';
import { once } from 'node:events';
import { open } from '../support/client.ts';
import { read, type Answer } from './world.ts';
import { SignJWT } from 'jose';

const SECRET = 'a secret that is long enough for HS256';
const KEY = 'the-api-key';

let pod: Pod;

beforeAll(async () => {
  pod = await startPod({
    API_KEYS: `${KEY},another-key`,
    JWT_SECRET: SECRET,
    GUEST_LOGIN: 'true',
    ALLOWED_ORIGINS: 'https://app.example.com',
    LOG_LEVEL: 'trace',
  });
});

afterAll(() => pod.stop());

function tokenOf(user: string, permissions?: string[]): Promise<string> {
  return new SignJWT(permissions === undefined ? {} : { permissions })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(user)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(SECRET));
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { 'X-API-Key': KEY },
): Promise<Answer> {
  const init: RequestInit = { method, headers: { 'Content-Type': 'application/json', ...headers } };
  if (body !== undefined) init.body = JSON.stringify(body);
  return read(await fetch(`${pod.url}${path}`, init));
}

describe('a backend', () => {
  test('publishes to sockets in both dialects', async () => {
    const alice = await open(pod, `/ws/r1?token=${await tokenOf('alice')}`);
    const carol = await open(pod, `/ws?dialect=channel&token=${await tokenOf('carol')}`);
    await alice.next({ event: 'joined' });
    carol.send({ type: 'subscribe', channel: 'r1', ref: '1' });
    await carol.next({ type: 'subscribed' });
    const { body } = await ask('POST', '/api/event', { channel: 'r1', event: 'tick', payload: { n: 1 } });
    const { message_id: id } = body as { message_id: string };
    await alice.next({ id, type: 'chat', room: 'r1', from: 'system', event: 'tick', data: { n: 1 } });
    await carol.next({ id, type: 'broadcast', channel: 'r1', event: 'tick', payload: { n: 1 } });
    const everybody = await ask('POST', '/api/broadcast', { data: 'noon' });
    await alice.next({ ...(everybody.body as object), type: 'notification', data: 'noon' });
    const direct = await ask('POST', '/api/users/alice/messages', { data: 'psst' });
    await alice.next({ ...(direct.body as object), type: 'chat', to: 'alice', data: 'psst' });
  });

  test('closes connections with 4403', async () => {
    const token = await tokenOf('mallory');
    const one = await open(pod, `/ws?dialect=message&token=${token}`);
    const two = await open(pod, `/ws?dialect=message&token=${token}`);
    const { data } = await one.next({ event: 'connected' });
    const { connection_id: id } = data as { connection_id: string };
    expect((await ask('POST', `/api/connections/${id}/disconnect`)).body).toEqual({ status: 'ok' });
    expect((await one.closed).code).toBe(4403);
    expect((await ask('POST', '/api/users/mallory/disconnect', { reason: 'rules' })).status).toBe(200);
    expect((await two.closed).code).toBe(4403);
  });

  test('may use only a token with the permission', async () => {
    const may = { Authorization: `Bearer ${await tokenOf('backend', ['api:*'])}` };
    const mayNot = { Authorization: `Bearer ${await tokenOf('backend')}` };
    expect((await ask('GET', '/api/rooms', undefined, may)).status).toBe(200);
    expect((await ask('GET', '/api/rooms', undefined, mayNot)).status).toBe(403);
    expect((await ask('GET', '/api/rooms', undefined, {})).status).toBe(401);
    expect((await ask('GET', '/api/rooms', undefined, { 'X-API-Key': 'wrong' })).status).toBe(401);
  });

  test('reads the members and the history of a room', async () => {
    const alice = await open(pod, `/ws/r2?token=${await tokenOf('alice')}`);
    await alice.next({ event: 'joined' });
    await ask('POST', '/api/rooms/r2/messages', { data: 1 });
    expect((await ask('GET', '/api/rooms?prefix=r2')).body).toEqual({
      rooms: [{ room: 'r2', connections: 1 }],
      cursor: null,
    });
    expect((await ask('GET', '/api/rooms/r2/presence')).body).toMatchObject({
      members: [{ user_id: 'alice' }],
    });
    expect((await ask('GET', '/api/rooms/r2/history')).body).toMatchObject({ messages: [{ data: 1 }] });
  });
});

describe('a guest', () => {
  test('gets a token that is valid for a socket but not for the API', async () => {
    const { status, body } = await ask('POST', '/api/auth/guest', { username: 'zoe' }, {});
    const guest = body as { token: string; user_id: string; expires_at: string };
    expect({ status, user: guest.user_id }).toEqual({ status: 200, user: 'guest:zoe' });
    expect(Date.parse(guest.expires_at)).toBeGreaterThan(Date.now());
    const zoe = await open(pod, `/ws?dialect=message&token=${guest.token}`);
    await zoe.next({ event: 'connected', data: { user_id: 'guest:zoe' } });
    const headers = { Authorization: `Bearer ${guest.token}` };
    expect((await ask('GET', '/api/rooms', undefined, headers)).status).toBe(403);
  });

  test('needs no token while authentication is off; switched off, guest login answers 404', async () => {
    const settings: [Record<string, string>, number, object][] = [
      [{}, 200, { token: null, user_id: 'zoe' }],
      [{ GUEST_LOGIN: 'false' }, 404, { code: 'not_found' }],
    ];
    for (const [env, status, body] of settings) {
      const other = await startPod(env);
      const answer = await fetch(`${other.url}/api/auth/guest`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"username":"zoe"}',
      });
      expect(await read(answer)).toMatchObject({ status, body });
      await other.stop();
    }
  });
});

describe('the server', () => {
  /** What is sent as it stands, and the answer as it comes until the connection ends or nothing is open. */
  async function raw(...parts: (string | Buffer)[]): Promise<string> {
    const { hostname, port } = new URL(pod.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    await once(socket, 'close');
    return text;
  }

  function head(path: string, ...headers: string[]): string {
    return [
      `POST ${path} HTTP/1.1`,
      'Host: pod',
      'Connection: close',
      'Content-Type: application/json',
      `X-API-Key: ${KEY}`,
      ...headers,
      '\r\n',
    ].join('\r\n');
  }

  test('counts the bytes of a body without Content-Length', async () => {
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const start = head('/api/event', 'Transfer-Encoding: chunked');
    const answer = await raw(start, chunk, '1\r\nx\r\n', '0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"too_large"');
  });

  test('refuses a body that is not UTF-8', async () => {
    const body = Buffer.concat([
      Buffer.from('{"channel":"r","payload":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    const answer = await raw(head('/api/event', `Content-Length: ${body.length}`), body);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"invalid_json"');
  });

  test.each(['//api/event', '/api//event', '/api/../api/none', '/api/rooms/%00/messages', '/%61pi/none'])(
    'answers POST %s with a JSON error',
    async (path) => {
      const answer = await raw(head(path, 'Content-Length: 2'), '{}');
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(answer).toMatch(/\{"error":"[^"]+","code":"(not_found|invalid_room)"\}/);
    },
  );

  test('serves a WebSocket path under /api', async () => {
    const answer = await read(await fetch(`${pod.url}/api/chat-api/ws`));
    expect(answer.status).toBe(426);
    const alice = await open(pod, `/api/chat-api/ws/r3?token=${await tokenOf('alice')}`);
    await alice.next({ event: 'joined', room: 'r3' });
  });

  test('lets only allowed pages in', async () => {
    for (const [origin, named] of [
      ['https://app.example.com', 'https://app.example.com'],
      ['https://example.org', null],
    ] as const) {
      const answer = await fetch(`${pod.url}/api/event`, { method: 'OPTIONS', headers: { Origin: origin } });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(named);
    }
  });

  test('limits the rate per address that a trusted proxy forwards', async () => {
    const other = await startPod({ API_REQUESTS_PER_SECOND: '1', TRUST_PROXY: 'true' });
    const status = async (address: string): Promise<number> => {
      const headers = { 'X-Forwarded-For': `1.1.1.1, ${address}` };
      const answer = await fetch(`${other.url}/api/rooms`, { headers });
      if (answer.status === 429) expect(answer.headers.get('Retry-After')).toMatch(/^[1-9]\d*$/);
      return answer.status;
    };
    // However slow this runs, of twenty in a row some come too early.
    const many = await Promise.all(Array.from({ length: 20 }, () => status('10.0.0.1')));
    expect(many).toContain(429);
    expect(await status('10.0.0.2')).toBe(200);
    await other.stop();
  });

  test('writes no key and no token to its log', async () => {
    await ask('POST', '/api/event', { channel: '!' });
    await ask('GET', '/api/rooms', undefined, { 'X-API-Key': 'guessed-key' });
    const token = await tokenOf('backend', ['api:*']);
    await ask('GET', '/api/rooms', undefined, { Authorization: `Bearer ${token}` });
    const output = pod.output();
    for (const secret of [KEY, 'another-key', 'guessed-key', SECRET, token])
      expect(output).not.toContain(secret);
  });
});
