import { afterAll, describe, expect, test } from 'vitest';
import { type OpenOptions, type Refusal, open, part, refused } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { type Claims, bearer, inSeconds, SECRET, signedIn, token } from '../support/tokens.ts';
import { fresh, join, settled } from './people.ts';

const pod = await startPod({ JWT_SECRET: SECRET, LOG_LEVEL: 'trace' });
const strict = await startPod({
  LOG_LEVEL: 'debug',
  JWT_SECRET: SECRET,
  JWT_ISSUER: 'https://issuer.example',
  JWT_AUDIENCE: 'chat',
  JWT_USER_CLAIM: 'login',
  JWT_PERMISSIONS_CLAIM: 'https://chat.example/may',
  JWT_ROOMS_CLAIM: 'https://chat.example/rooms',
});
const off = await startPod({ JWT_SECRET: SECRET, AUTH_ENABLED: 'false' });
afterAll(() => Promise.all([pod.stop(), strict.stop(), off.stop()]));

/** What a token for `strict` says. */
const GOOD = { login: 'alice', iss: 'https://issuer.example', aud: 'chat' };

/** Connects and gives the user id that the server knows. */
async function userOf(on: Pod, address: string, options: OpenOptions = {}): Promise<unknown> {
  const client = await open(on, address, options);
  return part(await client.next({ event: 'connected' }), 'data')['user_id'];
}

async function userWith(on: Pod, claims: Claims): Promise<unknown> {
  return userOf(on, '/ws?dialect=message', { headers: await signedIn(claims) });
}

async function refusedWith(on: Pod, claims: Claims): Promise<Refusal> {
  return refused(on, '/ws', await signedIn(claims));
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('A token is taken', () => {
  test('from the Authorization header, whatever the case of its scheme', async () => {
    const text = await token({ sub: 'alice' });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const headers = { Authorization: `${scheme} ${text}` };
      expect(await userOf(pod, '/ws?dialect=message', { headers })).toBe('alice');
    }
  });

  test.each(['token', 'access_token'])('from the query parameter %s', async (name) => {
    const text = await token({ sub: 'alice' });
    expect(await userOf(pod, `/ws?dialect=message&${name}=${text}`)).toBe('alice');
    expect(await userOf(pod, `/ws/${fresh()}?${name}=${text}`)).toBe('alice');
    expect(await userOf(pod, `/api/chat-api/ws?${name}=${text}&dialect=message`)).toBe('alice');
  });

  test.each(['crosspod.message.v1', 'crosspod.channel.v1'])(
    'from a subprotocol beside %s, which is the one selected',
    async (dialect) => {
      const offered = `bearer.${await token({ sub: 'alice' })}`;
      for (const protocols of [
        [dialect, offered],
        [offered, dialect],
      ]) {
        const client = await open(pod, '/ws', { protocols });
        expect(client.ws.protocol).toBe(dialect);
      }
      const protocols = ['crosspod.message.v1', offered];
      expect(await userOf(pod, '/ws', { protocols })).toBe('alice');
    },
  );

  test('from the header before token, before access_token, before the subprotocol', async () => {
    const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((sub) => token({ sub })));
    const protocols = ['crosspod.message.v1', `bearer.${d}`];
    const headers = bearer(String(a));
    expect(await userOf(pod, `/ws?access_token=${c}&token=${b}`, { headers, protocols })).toBe('a');
    expect(await userOf(pod, `/ws?access_token=${c}&token=${b}`, { protocols })).toBe('b');
    expect(await userOf(pod, `/ws?access_token=${c}`, { protocols })).toBe('c');
    expect(await userOf(pod, '/ws', { protocols })).toBe('d');
  });

  test('and a wrong one in the first place is not made good by a right one in the next', async () => {
    const good = await token({ sub: 'alice' });
    const { status, body } = await refused(pod, `/ws?token=${good}`, bearer('nonsense'));
    expect([status, body['error']]).toEqual([401, 'invalid token']);
    expect((await refused(pod, `/ws?token=nonsense&access_token=${good}`)).status).toBe(401);
  });

  test('from the next place where the first is empty or of another kind', async () => {
    const good = await token({ sub: 'alice' });
    expect(await userOf(pod, `/ws?dialect=message&token=&access_token=${good}`)).toBe('alice');
    const headers = { Authorization: 'Basic YTpi' };
    expect(await userOf(pod, `/ws?dialect=message&token=${good}`, { headers })).toBe('alice');
  });
});

test('A token offered as the only subprotocol is refused with 400', async () => {
  const headers = { 'Sec-WebSocket-Protocol': `bearer.${await token({ sub: 'alice' })}` };
  for (const address of ['/ws', '/ws?dialect=message', `/ws/${fresh()}`]) {
    expect((await refused(pod, address, headers)).status).toBe(400);
  }
});

describe('An upgrade is refused with 401', () => {
  test.each<[string, Record<string, string>]>([
    ['/ws', {}],
    ['/ws/room', {}],
    ['/ws?user_id=alice', {}],
    ['/ws?token=', {}],
    ['/ws', { Authorization: 'Bearer' }],
    ['/ws', { Authorization: 'Basic YTpi' }],
  ])('and `missing token` at %s with the headers %o', async (address, headers) => {
    const { status, headers: answered, body } = await refused(pod, address, headers);
    expect(status).toBe(401);
    expect(body).toEqual({ error: 'missing token', code: expect.stringMatching(/^[a-z_]+$/) });
    expect(answered['content-type']).toMatch(/^application\/json/);
    expect(answered['www-authenticate']).toMatch(/^Bearer/);
  });

  test('and `token expired` for one that has expired', async () => {
    const { status, body } = await refusedWith(pod, { sub: 'alice', exp: inSeconds(-3_600) });
    expect([status, body]).toEqual([401, { error: 'token expired', code: 'token_expired' }]);
  });

  test.each<[string, Claims]>([
    ['that is not valid yet', { sub: 'alice', nbf: inSeconds(3_600) }],
    ['whose end is no number', { sub: 'alice', exp: 'tomorrow' }],
    ['whose beginning is no number', { sub: 'alice', nbf: '0' }],
    ['without a user', {}],
    ['whose user is a number with a fraction', { sub: 7.5 }],
    ['whose user is a number beyond those that are exact', { sub: 2 ** 53 }],
    ['whose user is true', { sub: true }],
    ['whose user is an object', { sub: { name: 'alice' } }],
    ['whose user is a list', { sub: ['alice'] }],
    ['whose user is empty', { sub: '' }],
    ['whose user is system', { sub: 'system' }],
    ['whose user begins with conn:', { sub: 'conn:x' }],
    ['whose user begins with @', { sub: '@global' }],
    ['whose user has a line break', { sub: 'a\nb' }],
    ['whose user is too long', { sub: 'x'.repeat(257) }],
    ['whose permissions are a text', { sub: 'alice', permissions: 'join:*' }],
    ['whose permissions are an object', { sub: 'alice', permissions: { join: '*' } }],
    ['whose permissions are null', { sub: 'alice', permissions: null }],
    ['whose permissions hold a number', { sub: 'alice', permissions: ['join:*', 7] }],
    ['whose permissions hold a list', { sub: 'alice', permissions: [['join:*']] }],
    ['with an unknown action', { sub: 'alice', permissions: ['join:*', 'fly:*'] }],
    ['with an action and no pattern', { sub: 'alice', permissions: ['join'] }],
    ['with an empty pattern', { sub: 'alice', permissions: ['join:'] }],
    ['with a pattern and no action', { sub: 'alice', permissions: [':*'] }],
    ['with a pattern that can be no room', { sub: 'alice', permissions: ['join:a b'] }],
    ['with an unknown placeholder', { sub: 'alice', permissions: ['join:{room}'] }],
    ['with an empty rule', { sub: 'alice', permissions: [''] }],
  ])('and `invalid token` for one %s', async (_, claims) => {
    const { status, body } = await refusedWith(pod, claims);
    expect([status, body]).toEqual([401, { error: 'invalid token', code: 'invalid_token' }]);
  });

  test.each<[string, () => Promise<string>]>([
    ['signed with another secret', () => token({ sub: 'alice' }, 'another-secret-0123456789-0123456789')],
    ['that has expired and is signed with another secret', () => token({ sub: 'alice', exp: 1 }, 'other')],
    ['that is nonsense', async () => 'nonsense'],
    ['that is nonsense in three parts', async () => 'a.b.c'],
    ['without a signature', async () => (await token({ sub: 'alice' })).replace(/[^.]*$/, '')],
    [
      'whose claims were exchanged',
      async () => {
        const [head, , signature] = (await token({ sub: 'alice' })).split('.');
        return `${head}.${base64url({ sub: 'mallory', exp: inSeconds(3_600) })}.${signature}`;
      },
    ],
    [
      'of the algorithm none',
      async () => `${base64url({ alg: 'none' })}.${base64url({ sub: 'alice', exp: inSeconds(3_600) })}.`,
    ],
    [
      'that says none over a good signature',
      async () => (await token({ sub: 'alice' })).replace(/^[^.]*/, base64url({ alg: 'none' })),
    ],
    [
      'that says RS256 though there is only a secret',
      async () => (await token({ sub: 'alice' })).replace(/^[^.]*/, base64url({ alg: 'RS256' })),
    ],
    ['whose claims are no object', async () => `${base64url({ alg: 'HS256' })}.${base64url(7)}.x`],
    ['of 8,000 characters', async () => 'x'.repeat(8_000)],
  ])('and `invalid token` for one %s', async (_, make) => {
    const { status, body } = await refused(pod, '/ws', bearer(await make()));
    expect([status, body]).toEqual([401, { error: 'invalid token', code: 'invalid_token' }]);
  });

  test('in a query as well as in a header', async () => {
    const expired = await token({ sub: 'alice', exp: inSeconds(-3_600) });
    expect(await refused(pod, `/ws/room?token=${expired}`)).toMatchObject({
      status: 401,
      body: { error: 'token expired' },
    });
    expect(await refused(pod, '/ws?access_token=nonsense')).toMatchObject({
      status: 401,
      body: { error: 'invalid token' },
    });
  });
});

describe('A token is good', () => {
  test('without an end', async () => {
    expect(await userWith(pod, { sub: 'alice', exp: undefined })).toBe('alice');
  });

  test('once its beginning has come', async () => {
    expect(await userWith(pod, { sub: 'alice', nbf: inSeconds(-60) })).toBe('alice');
  });

  test('with any user that may be one', async () => {
    for (const sub of ['Zoë Müller', 'auth0|5f7c8ec7', '山田', 'x'.repeat(256)]) {
      expect(await userWith(pod, { sub })).toBe(sub);
    }
  });

  test('with an issuer and an audience that nobody asked for', async () => {
    expect(await userWith(pod, { sub: 'alice', iss: 'whoever', aud: ['whatever'] })).toBe('alice');
  });
});

describe('JWT_ISSUER and JWT_AUDIENCE', () => {
  test('let a token in that has them, the audience as one of several too', async () => {
    expect(await userWith(strict, GOOD)).toBe('alice');
    expect(await userWith(strict, { ...GOOD, aud: ['mail', 'chat'] })).toBe('alice');
  });

  test.each<[string, Claims]>([
    ['another issuer', { iss: 'https://other.example' }],
    ['an issuer that only begins alike', { iss: 'https://issuer.example.evil.example' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'mail' }],
    ['no audience', { aud: undefined }],
    ['an empty list of audiences', { aud: [] }],
  ])('refuse a token with %s', async (_, claims) => {
    const { status, body } = await refusedWith(strict, { ...GOOD, ...claims });
    expect([status, body['error']]).toEqual([401, 'invalid token']);
  });
});

describe('The user id', () => {
  const rest = { iss: 'https://issuer.example', aud: 'chat' };

  test('is the claim that JWT_USER_CLAIM names, else user_id, else sub', async () => {
    expect(await userWith(strict, { ...rest, login: 'a', user_id: 'b', sub: 'c' })).toBe('a');
    expect(await userWith(strict, { ...rest, user_id: 'b', sub: 'c' })).toBe('b');
    expect(await userWith(strict, { ...rest, sub: 'c' })).toBe('c');
  });

  test('is sub where nothing is set, else user_id', async () => {
    expect(await userWith(pod, { user_id: 'b', sub: 'c', login: 'a' })).toBe('c');
    expect(await userWith(pod, { user_id: 'b' })).toBe('b');
  });

  test('may be a whole number in each of them, and is its decimal text', async () => {
    expect(await userWith(strict, { ...rest, login: 7, sub: 'c' })).toBe('7');
    expect(await userWith(strict, { ...rest, user_id: 0, sub: 'c' })).toBe('0');
    expect(await userWith(pod, { sub: 2 ** 53 - 1 })).toBe('9007199254740991');
    expect(await userWith(pod, { sub: -5 })).toBe('-5');
  });

  test('is not looked for elsewhere if the claim is there and wrong', async () => {
    expect((await refusedWith(strict, { ...rest, login: 7.5, sub: 'c' })).status).toBe(401);
    expect((await refusedWith(strict, { ...rest, login: '', sub: 'c' })).status).toBe(401);
  });

  test('of the query is ignored', async () => {
    const headers = await signedIn({ sub: 'alice' });
    const client = await open(pod, `/ws/${fresh()}?user_id=mallory`, { headers });
    await client.next({ event: 'connected', data: { user_id: 'alice' } });
    client.send({ data: 'hello' });
    await client.next({ type: 'chat', data: 'hello', from: 'alice' });
  });

  test('of what a client writes in a frame is ignored', async () => {
    const room = fresh();
    const client = await open(pod, `/ws/${room}`, { headers: await signedIn({ sub: 'alice' }) });
    client.send({ data: 'hello', from: 'mallory', user_id: 'mallory' });
    await client.next({ type: 'chat', data: 'hello', from: 'alice' });
  });
});

test('JWT_PERMISSIONS_CLAIM names the claim that holds the permissions', async () => {
  const room = fresh();
  const claims = { sub: 'alice', iss: 'https://issuer.example', aud: 'chat', permissions: 'of another kind' };
  const restricted = { ...claims, 'https://chat.example/may': [`join:${room}`] };
  const client = await open(strict, '/ws?dialect=message', { headers: await signedIn(restricted) });
  await join(client, room);
  client.send({ type: 'join', room: fresh(), ref: 'r' });
  await client.next({ type: 'error', ref: 'r', data: { code: 'forbidden' } });
});

describe('With AUTH_ENABLED=false and a secret', () => {
  test('nobody needs a token, and the query says who comes', async () => {
    expect(await userOf(off, '/ws?dialect=message&user_id=alice')).toBe('alice');
    expect(await userOf(off, '/ws?dialect=message&user_id=alice&token=nonsense')).toBe('alice');
  });

  test('everything is permitted', async () => {
    const client = await open(off, '/ws?dialect=message&user_id=alice');
    client.send({ event: 'everywhere', data: 1 });
    client.send({ to: 'alice', event: 'directly', data: 1 });
    await client.next({ event: 'everywhere' });
    await client.next({ event: 'directly' });
    await settled(client);
  });

  test('a token in the session is answered with an error, and the connection stays', async () => {
    const client = await open(off, '/ws?dialect=message&user_id=alice');
    client.send({ type: 'auth', data: { token: await token({ sub: 'alice' }) }, ref: 'a' });
    await client.next({ type: 'error', ref: 'a' });
    await settled(client);
  });
});

test.each<[string, () => Promise<string>]>([
  ['token_expired', () => token({ ...GOOD, exp: inSeconds(-3_600) })],
  ['not_yet_valid', () => token({ ...GOOD, nbf: inSeconds(3_600) })],
  ['issuer', () => token({ ...GOOD, iss: 'https://other.example' })],
  ['audience', () => token({ ...GOOD, aud: undefined })],
  ['user_id', () => token({ ...GOOD, login: { a: 1 } })],
  ['permissions', () => token({ ...GOOD, 'https://chat.example/may': 'join:*' })],
  ['rooms', () => token({ ...GOOD, 'https://chat.example/rooms': ['-lobby'] })],
  ['signature', () => token(GOOD, 'another secret, which is as long as the one')],
  ['algorithm', async () => (await token(GOOD)).replace(/^[^.]*/, base64url({ alg: 'RS256' }))],
  ['invalid_token', async () => 'nonsense'],
  ['invalid_token', () => token({ ...GOOD, exp: 'tomorrow' })],
])('Why a token was not accepted is logged and counted: %s', async (reason, make) => {
  const before = await failures(strict, reason);
  await refused(strict, '/ws', bearer(await make()));
  expect(await failures(strict, reason)).toBe(before + 1);
  const lines = strict
    .output()
    .split('\n')
    .filter((line) => line.includes('a token was refused'));
  expect(JSON.parse(String(lines.at(-1)))).toMatchObject({ level: 20, reason });
});

async function failures(on: Pod, reason: string): Promise<number> {
  const metrics = await (await fetch(`${on.opsUrl}/metrics`)).text();
  return Number(metrics.split(`realtime_auth_failures{reason="${reason}"} `)[1]?.split('\n')[0]);
}

test('Refusals are counted by reason', async () => {
  const { body } = await refused(pod, '/ws');
  const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  expect(metrics).toMatch(
    new RegExp(`^realtime_upgrades_refused\\{reason="${String(body['code'])}"\\} [1-9]`, 'm'),
  );
});

test('Neither the secret nor any part of a token is ever written, however much is logged', async () => {
  const good = await token({ sub: 'alice', nonce: 'a-nonce-that-nobody-else-has' });
  const bad = await token({ sub: 'alice', exp: inSeconds(-3_600) });
  const client = await open(pod, `/ws?dialect=message&token=${good}`);
  await refused(pod, `/ws?token=${bad}`);
  await refused(pod, '/ws', bearer(bad));
  for (const text of [good, bad]) {
    client.send({ type: 'auth', data: { token: text }, ref: text.slice(-20) });
    await client.next({ ref: text.slice(-20) });
  }
  await settled(client);
  for (const text of [good, bad]) {
    const [, claims = '', signature = ''] = text.split('.');
    expect(pod.output()).not.toContain(claims);
    expect(pod.output()).not.toContain(signature);
  }
  expect(pod.output()).not.toContain(SECRET);
});
