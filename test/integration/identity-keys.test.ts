import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { Crosspod } from '../../src/client/client.ts';
import { open, part, refused, until } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { bearer, inSeconds, type KeyPair, keyPair, KeyServer, SECRET, token } from '../support/tokens.ts';
import { settled } from './people.ts';

const [rsa, ec, ed, other, rs512] = await Promise.all([
  keyPair('RS256', 'rsa'),
  keyPair('ES256', 'ec'),
  keyPair('EdDSA', 'ed'),
  keyPair('ES256', 'other'),
  keyPair('RS512', 'rs512'),
]);

const directory = mkdtempSync(join(tmpdir(), 'crosspod-'));
const keyServer = new KeyServer([rsa.jwk, ec.jwk, ed.jwk]);
const url = await keyServer.start();

const byFile = await startPod({ JWKS_FILE: keyFile([rsa.jwk, ec.jwk, ed.jwk, rs512.jwk]) });
const byUrl = await startPod({ JWKS_URL: url });
afterAll(async () => {
  await Promise.all([byFile.stop(), byUrl.stop()]);
  keyServer.stop();
  rmSync(directory, { recursive: true });
});

function keyFile(keys: readonly JWK[]): string {
  const path = join(directory, `${Math.random()}.json`);
  writeFileSync(path, JSON.stringify({ keys }));
  return path;
}

const KEYS_AWAY = 'the keys to check tokens cannot be loaded now; retry later with the same token';

/** A pod that ends with the test. */
async function podWith(env: Record<string, string>): Promise<Pod> {
  const pod = await startPod(env);
  onTestFinished(async () => void (await pod.kill()));
  return pod;
}

async function keysAt(keys: readonly JWK[]): Promise<{ server: KeyServer; JWKS_URL: string }> {
  const server = new KeyServer(keys);
  onTestFinished(() => server.stop());
  return { server, JWKS_URL: await server.start() };
}

/** Connects with the token and gives the user id that the server knows. */
async function userWith(pod: Pod, text: string): Promise<unknown> {
  const client = await open(pod, '/ws?dialect=message', { headers: bearer(text) });
  return part(await client.next({ event: 'connected' }), 'data')['user_id'];
}

async function faultOf(pod: Pod, text: string): Promise<unknown[]> {
  const { status, body } = await refused(pod, '/ws', bearer(text));
  return [status, body['error']];
}

async function isLetIn(pod: Pod, text: string): Promise<boolean> {
  return userWith(pod, text).then(
    () => true,
    () => false,
  );
}

describe.each([
  ['JWKS_FILE', byFile],
  ['JWKS_URL', byUrl],
])('With %s', (_, pod) => {
  test.each<[string, KeyPair]>([
    ['RS256', rsa],
    ['ES256', ec],
    ['EdDSA', ed],
  ])('a token signed with %s is taken, and an expired one is told from a wrong one', async (_, key) => {
    expect(await userWith(pod, await key.sign({ sub: 'alice' }))).toBe('alice');
    const expired = await key.sign({ sub: 'alice', exp: inSeconds(-3_600) });
    expect(await faultOf(pod, expired)).toEqual([401, 'token expired']);
    const good = await key.sign({ sub: 'alice' });
    const last = good.at(-10) === 'A' ? 'B' : 'A';
    expect(await faultOf(pod, `${good.slice(0, -10)}${last}${good.slice(-9)}`)).toEqual([
      401,
      'invalid token',
    ]);
  });

  test.each<[string, () => Promise<string>]>([
    [
      'signed with a key that says it is one of the set',
      async () => (await keyPair('ES256', 'ec')).sign({ sub: 'alice' }),
    ],
    ['signed with HS256, for which there is no secret', () => token({ sub: 'alice' })],
    ['signed with HS256 and a public key as PEM text', () => token({ sub: 'alice' }, rsa.pem)],
    ['signed with HS256 and a public key as JSON', () => token({ sub: 'alice' }, JSON.stringify(rsa.jwk))],
    ['signed with HS256 and the modulus', () => token({ sub: 'alice' }, String(rsa.jwk.n))],
    ['signed with RS512, which is not among the algorithms', () => rs512.sign({ sub: 'alice' })],
  ])('a token is refused that is %s', async (_, make) => {
    expect(await faultOf(pod, await make())).toEqual([401, 'invalid token']);
  });
});

test('With JWKS_FILE a token is refused that is signed with a key that is not in the set', async () => {
  expect(await faultOf(byFile, await other.sign({ sub: 'alice' }))).toEqual([401, 'invalid token']);
});

describe('Several key sources at once', () => {
  test('are each good for the tokens of their keys, and for no others', async () => {
    const { JWKS_URL } = await keysAt([ed.jwk]);
    const pod = await podWith({ JWT_SECRET: SECRET, JWKS_FILE: keyFile([rsa.jwk, ec.jwk]), JWKS_URL });
    expect(await userWith(pod, await token({ sub: 'a' }))).toBe('a');
    expect(await userWith(pod, await rsa.sign({ sub: 'b' }))).toBe('b');
    expect(await userWith(pod, await ec.sign({ sub: 'c' }))).toBe('c');
    expect(await userWith(pod, await ed.sign({ sub: 'd' }))).toBe('d');
    expect((await faultOf(pod, await other.sign({ sub: 'e' })))[0]).toBe(503);
    expect(await faultOf(pod, await token({ sub: 'a' }, rsa.pem))).toEqual([401, 'invalid token']);
    for (const make of [token, rsa.sign, ed.sign]) {
      const expired = await make({ sub: 'a', exp: inSeconds(-3_600) });
      expect(await faultOf(pod, expired)).toEqual([401, 'token expired']);
    }
  });

  test('may both have a key of the same name', async () => {
    const [inFile, atUrl] = [await keyPair('ES256', 'same'), await keyPair('ES256', 'same')];
    const { JWKS_URL } = await keysAt([atUrl.jwk]);
    const pod = await podWith({ JWKS_FILE: keyFile([inFile.jwk]), JWKS_URL });
    expect(await userWith(pod, await inFile.sign({ sub: 'a' }))).toBe('a');
    expect(await userWith(pod, await atUrl.sign({ sub: 'b' }))).toBe('b');
  });

  test('do not stand in each other’s way when the URL is down', async () => {
    const { server, JWKS_URL } = await keysAt([ed.jwk]);
    server.status = 500;
    const pod = await podWith({ JWT_SECRET: SECRET, JWKS_FILE: keyFile([rsa.jwk]), JWKS_URL });
    expect(await userWith(pod, await token({ sub: 'a' }))).toBe('a');
    expect(await userWith(pod, await rsa.sign({ sub: 'b' }))).toBe('b');
    expect((await faultOf(pod, await ed.sign({ sub: 'c' })))[0]).toBe(503);
  });
});

test('Keys without a name are tried one after the other', async () => {
  const [old, young] = [await keyPair('ES256'), await keyPair('ES256')];
  const pod = await podWith({ JWKS_FILE: keyFile([old.jwk, young.jwk]) });
  expect(await userWith(pod, await old.sign({ sub: 'a' }))).toBe('a');
  expect(await userWith(pod, await young.sign({ sub: 'b' }))).toBe('b');
  expect(await faultOf(pod, await ec.sign({ sub: 'c' }))).toEqual([401, 'invalid token']);
});

test('A key server that wants a login is told the one in its URL', async () => {
  const { server, JWKS_URL } = await keysAt([rsa.jwk]);
  server.login = `Basic ${Buffer.from('me:p@ß').toString('base64')}`;
  const pod = await podWith({ JWKS_URL: JWKS_URL.replace('//', '//me:p%40%C3%9F@') });
  expect(await userWith(pod, await rsa.sign({ sub: 'alice' }))).toBe('alice');
});

describe('A key server that is down', () => {
  test.each([503, 404])('and answers %d means 503, and all is well when it is back', async (status) => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    server.status = status;
    const pod = await podWith({ JWKS_URL });
    const text = await rsa.sign({ sub: 'alice' });
    const { status: answered, headers, body } = await refused(pod, '/ws', bearer(text));
    expect(answered).toBe(503);
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(body).toEqual({ error: expect.any(String), code: 'unavailable' });
    server.status = 200;
    await until('the keys', () => isLetIn(pod, text));
  });

  test('and does not listen means 503', async () => {
    const { server, JWKS_URL } = await keysAt([]);
    server.stop();
    const pod = await podWith({ JWKS_URL });
    expect((await faultOf(pod, await rsa.sign({ sub: 'alice' })))[0]).toBe(503);
    expect(await faultOf(pod, 'nonsense')).toEqual([401, 'invalid token']);
    expect((await refused(pod, '/ws')).status).toBe(401);
  });

  test('does not harm those whose key is known already, and tells a refresh with another one', async () => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    const pod = await podWith({ JWKS_URL, JWKS_COOLDOWN_SECONDS: '1' });
    const client = await open(pod, '/ws?dialect=message', {
      headers: bearer(await rsa.sign({ sub: 'alice', exp: undefined })),
    });
    server.status = 500;
    const unknown = await ec.sign({ sub: 'alice', exp: undefined });
    // Until then the pod does not ask again: it has the keys from a moment ago.
    await until('another attempt to get the keys', async () => {
      const [, error] = await faultOf(pod, unknown);
      return error === KEYS_AWAY;
    });
    client.send({ type: 'auth', data: { token: unknown }, ref: 'a' });
    await client.next({ type: 'error', ref: 'a', data: { code: 'unavailable', error: KEYS_AWAY } });
    await settled(client);
  });
});

describe('When the keys at the URL change', () => {
  test('the new key is good soon and the old one no longer after a while', async () => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    const pod = await podWith({ JWKS_URL, ...fastClock(200) });
    const [before, after] = [await rsa.sign({ sub: 'alice' }), await ec.sign({ sub: 'alice' })];
    expect(await userWith(pod, before)).toBe('alice');
    server.keys = [rsa.jwk, ec.jwk];
    await until('the new key', () => isLetIn(pod, after));
    expect(await userWith(pod, before)).toBe('alice');
    server.keys = [ec.jwk];
    await until('the end of the old key', async () => !(await isLetIn(pod, before)));
    expect(await faultOf(pod, before)).toEqual([401, 'invalid token']);
    expect(await userWith(pod, after)).toBe('alice');
  });

  test('a token of the new key is asked for patience, not refused, and taken when that is over', async () => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    const pod = await podWith({ JWKS_URL, JWKS_COOLDOWN_SECONDS: '2', LOG_LEVEL: 'debug' });
    await userWith(pod, await rsa.sign({ sub: 'alice' }));
    server.keys = [rsa.jwk, ec.jwk];
    const cached = await ec.sign({ sub: 'alice' });
    for (const address of ['/ws', '/ws?explain=1', '/api/rooms']) {
      const { status, headers, body } = await answerTo(pod, address, cached);
      expect(status).toBe(503);
      expect(body).toEqual({
        error: 'the pod does not know the key of this token yet; retry later with the same token',
        code: 'unavailable',
      });
      expect(headers.get('Retry-After')).toMatch(/^[12]$/);
    }
    await until('the new key', () => isLetIn(pod, cached));
  });

  test('a client whose token is of the new key comes in with it', async () => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    const pod = await podWith({ JWKS_URL, JWKS_COOLDOWN_SECONDS: '2' });
    await userWith(pod, await rsa.sign({ sub: 'alice' }));
    server.keys = [rsa.jwk, ec.jwk];
    const cached = await ec.sign({ sub: 'alice' });
    const client = new Crosspod(`${pod.url}/ws`, { getToken: () => cached });
    onTestFinished(() => client.close());
    await until('the client', () => client.state === 'connected');
  });

  test('many tokens of unknown keys do not make the pod ask for each', async () => {
    const { server, JWKS_URL } = await keysAt([rsa.jwk]);
    const pod = await podWith({ JWKS_URL, JWKS_COOLDOWN_SECONDS: '60' });
    await userWith(pod, await rsa.sign({ sub: 'alice' }));
    for (let n = 0; n < 30; n += 1) {
      const stranger = await keyPair('ES256', `stranger-${n}`);
      expect((await faultOf(pod, await stranger.sign({ sub: 'mallory' })))[0]).toBe(503);
    }
    expect(server.asked).toBe(1);
  });
});

test('A token that is not valid yet is refused until it is, and a client comes in with it then', async () => {
  const nbf = inSeconds(7);
  const early = await rsa.sign({ sub: 'alice', nbf });
  for (const address of ['/ws', '/ws?explain=1', '/api/rooms']) {
    const { status, headers, body } = await answerTo(byFile, address, early);
    expect([status, body]).toEqual([401, { error: 'invalid token', code: 'invalid_token' }]);
    // Five seconds before that it is taken: the clocks may be so far apart.
    expect(headers.get('Retry-After')).toMatch(/^[123]$/);
  }
  const never = await answerTo(byFile, '/ws', await rsa.sign({ sub: 'alice', nbf: inSeconds(7_200) }));
  expect(never.headers.get('Retry-After')).toBe('60');
  const client = new Crosspod(`${byFile.url}/ws`, { getToken: () => early });
  onTestFinished(() => client.close());
  await until('the client', () => client.state === 'connected');
});

/** What the pod answers a handshake at this address, or a plain request elsewhere. */
async function answerTo(pod: Pod, address: string, text: string) {
  if (address !== '/ws') {
    const answer = await fetch(pod.url + address, { headers: bearer(text) });
    const body = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, headers: answer.headers, body };
  }
  const { status, headers, body } = await refused(pod, address, bearer(text));
  return { status, headers: new Headers(headers as Record<string, string>), body };
}

/**
 * For a pod whose clock runs so many times as fast, so that a test need not wait until it asks for keys again. How
 * long a token is good goes by the real time.
 */
function fastClock(factor: number): Record<string, string> {
  const code = `const {now}=performance;performance.now=()=>now.call(performance)*${factor};`;
  return {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}`,
    HEARTBEAT_TIMEOUT_SECONDS: '7200',
  };
}
