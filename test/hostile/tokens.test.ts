import { createServer } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { encode, formsOf, hmac, type Part, rsa, rsaKey } from './forge.ts';
import { handshake, Peer, text } from './wire.ts';
import { exchange } from './http-exchange.ts';
import { expectUnharmed } from './pod-state.ts';
import { type Pod, startPod } from '../support/pod.ts';

const SECRET = 'the-secret-of-this-test-which-nobody-may-see';
const API_KEY = 'the-api-key-of-this-test-which-nobody-may-see';
const WRONG_KEY = 'a-wrong-api-key-which-nobody-may-see-either';
const ISSUER = 'https://issuer.example';
const AUDIENCE = 'crosspod';

const own = rsaKey('own');
const attackers = rsaKey('own');

const NOW = Math.floor(Date.now() / 1_000);
const GOOD = { sub: 'alice', iss: ISSUER, aud: AUDIENCE, iat: NOW, exp: NOW + 3_600 };
const HS256 = { alg: 'HS256', typ: 'JWT' };
const RS256 = { alg: 'RS256', typ: 'JWT', kid: 'own' };

/** Where an attacker would like to be asked for keys. */
let trap: string;
let asked = 0;
const trapServer = createServer((_, answer) => {
  asked += 1;
  answer.end(JSON.stringify({ keys: [attackers.jwk] }));
});

let pod: Pod;
const folder = mkdtempSync(join(tmpdir(), 'crosspod-'));
/** Everything that was shown to the pod and must not be found again. */
const shown: string[] = [SECRET, API_KEY, WRONG_KEY];

await new Promise<void>((resolve) => trapServer.listen(0, '127.0.0.1', resolve));
trap = `http://127.0.0.1:${(trapServer.address() as AddressInfo).port}`;

beforeAll(async () => {
  const file = join(folder, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: [own.jwk] }));
  pod = await startPod({
    JWT_SECRET: SECRET,
    JWKS_FILE: file,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
    API_KEYS: API_KEY,
    LOG_LEVEL: 'trace',
    HANDSHAKES_PER_SECOND: '100000',
    API_REQUESTS_PER_SECOND: '100000',
  });
});
afterAll(async () => {
  await pod.stop();
  trapServer.close();
  rmSync(folder, { recursive: true });
});

/** The ways to show a token at an upgrade. */
const PLACES: Readonly<Record<string, (token: string) => string>> = {
  header: (token) => handshake('/ws', { Authorization: `Bearer ${token}` }),
  'header, in other letters': (token) => handshake('/ws/room', { authorization: `bEARER   ${token}` }),
  'query token': (token) => handshake(`/ws?token=${token}`),
  'query access_token': (token) => handshake(`/api/chat-api/ws/room?access_token=${token}`),
  subprotocol: (token) =>
    handshake('/ws', { 'Sec-WebSocket-Protocol': `crosspod.message.v1, bearer.${token}` }),
};

function hide(token: string): void {
  shown.push(...token.split('.').filter((segment) => segment.length >= 16));
}

function expectNothingOf(token: string, answer: string): void {
  for (const segment of token.split('.').filter((one) => one.length >= 16))
    expect(answer).not.toContain(segment);
}

/** Shows the token in every place; each answers with one of the statuses. */
async function expectRefused(token: string, statuses: readonly number[] = [401]): Promise<void> {
  hide(token);
  for (const [place, upgrade] of Object.entries(PLACES)) {
    const { statuses: answered, text } = await exchange(pod, upgrade(token), { answers: 1 });
    expect(statuses, `in ${place}: ${text}`).toContain(answered[0]);
    expectNothingOf(token, text);
  }
  await expectRefusedByApi(token);
  await expectRefusedInSession(token);
}

async function expectRefusedByApi(token: string): Promise<void> {
  const body = '{"channel":"room","payload":{}}';
  const { statuses, text } = await exchange(
    pod,
    `POST /api/event HTTP/1.1\r\nHost: pod\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  expect([401, 431]).toContain(statuses[0]);
  expectNothingOf(token, text);
}

/** Shows it in both dialects to a pod that knows the client already. */
async function expectRefusedInSession(token: string): Promise<void> {
  for (const [dialect, frame] of [
    ['message', { type: 'auth', data: { token }, ref: 'auth' }],
    ['channel', { type: 'auth', token, ref: 'auth' }],
  ] as const) {
    const peer = await Peer.open(pod, `/ws?dialect=${dialect}&token=${hmac(HS256, GOOD, SECRET)}`);
    peer.send(text(JSON.stringify(frame)));
    const answer =
      (await peer.until(({ payload }) => payload.includes('"ref":"auth"'))).at(-1)?.payload.toString() ?? '';
    peer.end();
    expect(answer).toMatch(/"type":"error"/);
    expect(answer).toMatch(/"code":"(invalid_token|token_expired)"/);
    expectNothingOf(token, answer);
  }
}

describe('A good token', () => {
  test.each([
    ['of the secret', () => hmac(HS256, GOOD, SECRET)],
    ['of the key file', () => rsa(RS256, GOOD, own.privateKey)],
    ['of the key file, without a kid', () => rsa({ alg: 'RS256' }, GOOD, own.privateKey)],
    ['for several audiences', () => hmac(HS256, { ...GOOD, aud: ['other', AUDIENCE] }, SECRET)],
  ])('%s is taken in every place', async (_, make) => {
    const token = make();
    hide(token);
    for (const upgrade of Object.values(PLACES)) {
      expect((await exchange(pod, upgrade(token), { answers: 1 })).statuses).toEqual([101]);
    }
  });
});

describe('A token is refused', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256\0', 'hs256'])('whose alg is %j', async (alg) => {
    await expectRefused(`${encode({ alg })}.${encode(GOOD)}.`);
    await expectRefused(`${encode({ alg })}.${encode(GOOD)}.${hmac(HS256, GOOD, SECRET).split('.')[2]}`);
    await expectRefused(hmac({ alg }, GOOD, SECRET));
    await expectRefused(hmac({ alg }, GOOD, ''));
  });

  test.each(formsOf(own))(
    'that is signed with the public key of the key file as a secret: %s',
    async (_, secret) => {
      await expectRefused(hmac(HS256, GOOD, secret));
      await expectRefused(hmac({ ...HS256, kid: 'own' }, GOOD, secret));
    },
  );

  test.each<[string, () => string]>([
    ['HS384 with the right secret', () => hmac({ alg: 'HS384' }, GOOD, SECRET, 'sha384')],
    ['HS512 with the right secret', () => hmac({ alg: 'HS512' }, GOOD, SECRET, 'sha512')],
    ['RS384 with the right key', () => rsa({ ...RS256, alg: 'RS384' }, GOOD, own.privateKey, 'sha384')],
    ['RS512 with the right key', () => rsa({ ...RS256, alg: 'RS512' }, GOOD, own.privateKey, 'sha512')],
    ['PS256 by name', () => rsa({ ...RS256, alg: 'PS256' }, GOOD, own.privateKey)],
    ['ES256 by name', () => rsa({ ...RS256, alg: 'ES256' }, GOOD, own.privateKey)],
    ['EdDSA by name', () => rsa({ ...RS256, alg: 'EdDSA' }, GOOD, own.privateKey)],
    ['RS256 by name, with the secret', () => hmac(RS256, GOOD, SECRET)],
    ['HS256 by name, with the right key', () => rsa({ ...RS256, alg: 'HS256' }, GOOD, own.privateKey)],
    ['an alg that is a number', () => hmac({ alg: 256 }, GOOD, SECRET)],
    ['an alg that is a list', () => hmac({ alg: ['HS256'] }, GOOD, SECRET)],
    ['no alg', () => hmac({ typ: 'JWT' }, GOOD, SECRET)],
  ])('that uses an algorithm which is not allowed: %s', async (_, make) => expectRefused(make()));

  test.each<[string, () => string]>([
    ['another secret', () => hmac(HS256, GOOD, `${SECRET}x`)],
    ['a key of nobody under a known name', () => rsa(RS256, GOOD, attackers.privateKey)],
    ['the kid of nobody', () => rsa({ ...RS256, kid: 'nobody' }, GOOD, own.privateKey)],
    ['a kid that is a path', () => rsa({ ...RS256, kid: '../../../dev/null' }, GOOD, attackers.privateKey)],
    ['a kid that is an object', () => rsa({ ...RS256, kid: {} }, GOOD, attackers.privateKey)],
    ['a kid named __proto__', () => rsa({ ...RS256, kid: '__proto__' }, GOOD, attackers.privateKey)],
    ['no signature', () => `${hmac(HS256, GOOD, SECRET).split('.').slice(0, 2).join('.')}.`],
    ['half a signature', () => hmac(HS256, GOOD, SECRET).slice(0, -20)],
    ['a changed payload', () => changed({ ...GOOD, sub: 'bob' })],
    [
      'a signature of an unencoded payload',
      () => hmac({ ...HS256, b64: false }, GOOD, SECRET).replace(/\.[^.]+$/, '.AAAAAAAAAAAAAAAAAAAAAAAA'),
    ],
  ])('that has %s', async (_, make) => expectRefused(make()));

  test.each(['jku', 'x5u', 'jwk', 'x5c'])(
    'whose header brings its own key as %s, and nobody fetches anything',
    async (name) => {
      const before = asked;
      const value = { jku: `${trap}/jwks.json`, x5u: `${trap}/cert.pem`, jwk: attackers.jwk, x5c: ['AAAA'] }[
        name
      ];
      await expectRefused(rsa({ ...RS256, [name]: value }, GOOD, attackers.privateKey));
      await expectRefused(
        rsa({ alg: 'RS256', kid: `${trap}/kid`, [name]: value }, GOOD, attackers.privateKey),
      );
      expect(asked).toBe(before);
    },
  );

  test.each<[string, Part]>([
    ['expired', { exp: NOW - 60 }],
    ['expired long ago', { exp: 1 }],
    ['expired before there was time', { exp: -1 }],
    ['whose end is a string', { exp: String(NOW + 3_600) }],
    ['whose end is an object', { exp: {} }],
    ['not yet valid', { nbf: NOW + 600 }],
    ['whose beginning is a string', { nbf: String(NOW - 5) }],
    ['for another audience', { aud: 'other' }],
    ['for other audiences', { aud: ['other', `${AUDIENCE}x`] }],
    ['for no audience', { aud: undefined }],
    ['for an audience that is an object', { aud: { [AUDIENCE]: true } }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['of the issuer and a slash', { iss: `${ISSUER}/` }],
    ['of no issuer', { iss: undefined }],
    ['of a list of issuers', { iss: [ISSUER] }],
  ])('that is %s', async (_, claims) => {
    await expectRefused(hmac(HS256, { ...GOOD, ...claims }, SECRET));
    await expectRefused(rsa(RS256, { ...GOOD, ...claims }, own.privateKey));
  });

  test.each<[string, unknown]>([
    ['a number with a fraction', 1.5],
    ['a number that stands for many', 2 ** 53],
    ['true', true],
    ['an object', { name: 'alice' }],
    ['a list', ['alice']],
    ['empty', ''],
    ['absent', undefined],
    ['null', null],
    ['system', 'system'],
    ['conn:x', 'conn:x'],
    ['conn:', 'conn:'],
    ['@x', '@x'],
    ['@global', '@global'],
    ['a line break', 'a\r\nb'],
    ['a NUL', 'a\0b'],
    ['half a character', '\ud800'],
    ['a mark that turns the text around', '\u202ealice'],
    ['a zero width space', 'ali\u200bce'],
    ['257 characters', 'x'.repeat(257)],
  ])('whose user is %s', async (_, sub) => expectRefused(hmac(HS256, { ...GOOD, sub }, SECRET)));

  test.each<[string, unknown]>([
    ['text', 'join:*'],
    ['an object', { join: '*' }],
    ['a number', 1],
    ['null', null],
    ['true', true],
    ['a list with a number', ['join:*', 1]],
    ['a list in a list', [['join:*']]],
    ['a list with null', [null]],
    ['an action of nobody', ['delete:*']],
    ['no action', [':*']],
    ['no pattern', ['join:']],
    ['no colon', ['join']],
    ['an action in other letters', ['JOIN:*']],
    ['an inherited action', ['constructor:*']],
    ['a pattern with a blank', ['join: *']],
    ['a pattern with a line break', ['join:a\n*']],
    ['a list that is no list', { length: 1, 0: 'join:*' }],
  ])('whose permissions are %s', async (_, permissions) =>
    expectRefused(hmac(HS256, { ...GOOD, permissions }, SECRET)),
  );

  test.each<[string, Part]>([
    ['something unknown', { crit: ['x'], x: 1 }],
    ['something that is not there', { crit: ['exp'] }],
    ['nothing', { crit: [] }],
    ['an unencoded payload', { crit: ['b64'], b64: false }],
    ['by text', { crit: 'b64', b64: false }],
    ['by a number', { crit: 1 }],
    ['by an object', { crit: {} }],
  ])('whose header says that %s is critical', async (_, header) => {
    await expectRefused(hmac({ ...HS256, ...header }, GOOD, SECRET));
    await expectRefused(rsa({ ...RS256, ...header }, GOOD, own.privateKey));
  });

  test.each<[string, string]>([
    ['two dots', '..'],
    ['one part', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['two parts', 'aaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbb'],
    ['four parts', `${hmac(HS256, GOOD, SECRET)}.x`],
    [
      'five parts',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA',
    ],
    ['a header that is no JSON', hmac('{"alg":"HS256"', GOOD, SECRET)],
    ['a header that is a list', hmac('["HS256"]', GOOD, SECRET)],
    ['a header that is null', hmac('null', GOOD, SECRET)],
    ['a payload that is no JSON', hmac(HS256, 'alice', SECRET)],
    ['a payload that is a list', hmac(HS256, '[1]', SECRET)],
    ['a payload that is null', hmac(HS256, 'null', SECRET)],
    [
      'permissions nested deeply',
      hmac(
        HS256,
        JSON.stringify({ ...GOOD, permissions: '@' }).replace('"@"', '['.repeat(2_500) + ']'.repeat(2_500)),
        SECRET,
      ),
    ],
    ['two algs, of which the last counts', hmac('{"alg":"HS256","alg":"none"}', GOOD, SECRET)],
    [
      'two users, of which the last counts',
      hmac(HS256, JSON.stringify(GOOD).replace('}', ',"sub":"system"}'), SECRET),
    ],
    [
      'a user by its prototype',
      hmac(
        HS256,
        JSON.stringify({ ...GOOD, sub: undefined }).replace('{', '{"__proto__":{"sub":"alice"},'),
        SECRET,
      ),
    ],
    ['8 KB', hmac(HS256, { ...GOOD, x: 'x'.repeat(6_000) }, `${SECRET}x`)],
  ])('that is made of %s', async (_, token) => expectRefused(token, [400, 401]));

  test('of 100 KB, before it is looked at', async () => {
    const token = hmac(HS256, { ...GOOD, x: 'x'.repeat(75_000) }, SECRET);
    hide(token);
    for (const upgrade of Object.values(PLACES)) {
      const { statuses, text } = await exchange(pod, upgrade(token), { answers: 1 });
      expect([400, 401, 414, 431]).toContain(statuses[0]);
      expectNothingOf(token, text);
    }
    const peer = await Peer.open(pod, `/ws?dialect=message&token=${hmac(HS256, GOOD, SECRET)}`);
    peer.send(text(JSON.stringify({ type: 'auth', data: { token } })));
    expect(await peer.closeCode()).toBe(1009);
    peer.end();
  });

  test('with another scheme, in another case of the parameter, or with blanks in it', async () => {
    const token = hmac(HS256, GOOD, SECRET);
    hide(token);
    for (const upgrade of [
      handshake('/ws', { Authorization: `Basic ${token}` }),
      handshake('/ws', { Authorization: token }),
      handshake('/ws', { Authorization: `Bearer${token}` }),
      handshake('/ws', { Authorization: `Bearer x ${token}` }),
      handshake(`/ws?TOKEN=${token}`),
      handshake(`/ws?token[]=${token}`),
      handshake(`/ws?token=%20${token}`),
      handshake(`/ws#token=${token}`),
      handshake('/ws', { Cookie: `token=${token}` }),
      handshake('/ws', { 'Sec-WebSocket-Protocol': `crosspod.message.v1, BEARER.${token}` }),
    ]) {
      const { statuses, text } = await exchange(pod, upgrade, { answers: 1 });
      expect([400, 401]).toContain(statuses[0]);
      expectNothingOf(token, text);
    }
  });
});

/** The signature of a good token under another payload. */
function changed(payload: Part): string {
  const [header = '', , signature = ''] = hmac(HS256, GOOD, SECRET).split('.');
  return `${header}.${encode(payload)}.${signature}`;
}

test.each(['1e308', '9007199254740991', '8640000000001', '253402300800'])(
  'A token that ends beyond all dates (exp %s) harms nobody, neither at the upgrade nor in the session',
  async (exp) => {
    const token = hmac(HS256, JSON.stringify({ ...GOOD, exp: 0 }).replace('"exp":0', `"exp":${exp}`), SECRET);
    hide(token);
    const { statuses } = await exchange(pod, handshake(`/ws?token=${token}`), { answers: 1 });
    expect([101, 401]).toContain(statuses[0]);
    for (const dialect of ['message', 'channel']) {
      const peer = await Peer.open(pod, `/ws?dialect=${dialect}&token=${hmac(HS256, GOOD, SECRET)}`);
      onTestFinished(() => peer.end());
      peer.send(text(JSON.stringify({ type: 'auth', token, data: { token }, ref: 'auth' })));
      const answer = (await peer.until(({ payload }) => payload.includes('"ref":"auth"'))).at(-1);
      expect(answer?.payload.toString()).toMatch(/"authenticated"|"invalid_token"/);
    }
    await expectUnharmed(pod);
  },
);

test('A wrong or missing API key is refused with 401, which does not repeat it', async () => {
  for (const headers of [
    { 'X-API-Key': WRONG_KEY },
    { 'X-API-Key': '' },
    { 'X-API-Key': API_KEY.slice(0, -1) },
    { Authorization: `Bearer ${WRONG_KEY}` },
    {},
  ]) {
    const answer = await fetch(`${pod.url}/api/rooms?key=${WRONG_KEY}`, { headers });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toMatch(/which-nobody-may-see/);
  }
  expect((await fetch(`${pod.url}/api/rooms`, { headers: { 'X-API-Key': API_KEY } })).status).toBe(200);
});

test('Nothing of any token, secret or key stands in the output of the pod, at its most talkative, or in its metrics', async () => {
  const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
  const all = pod.output() + metrics;
  // The first and the last part of each are enough to find one that is cut.
  const found = [...new Set(shown)].filter((one) => all.includes(one) || all.includes(one.slice(-16)));
  expect(found).toEqual([]);
  expect(shown.length).toBeGreaterThan(500);
  expect(asked).toBe(0);
  await expectUnharmed(pod);
});

test('A pod that cannot start because of its settings does not print the secrets among them', async () => {
  const fault = await startPod({
    JWT_SECRET: SECRET,
    API_KEYS: API_KEY,
    JWKS_URL: `ftp://u:${SECRET}@x`,
    MAX_CONNECTIONS: 'x',
  }).then(
    async (started) => void (await started.stop()),
    (error: unknown) => String(error),
  );
  expect(fault).toMatch(/JWKS_URL/);
  expect(fault).not.toContain('which-nobody-may-see');
});
