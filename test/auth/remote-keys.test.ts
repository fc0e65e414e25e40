import { describe, expect, test } from 'vitest';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import { RemoteKeys } from '../../src/auth/remote-keys.ts';
import { setImmediate } from 'node:timers/promises';
import { keyPair } from '../support/tokens.ts';
import { TestClock } from '../support/test-clock.ts';

const [old, young, nameless, other] = await Promise.all([
  keyPair('ES256', 'old'),
  keyPair('ES256', 'young'),
  keyPair('ES256'),
  keyPair('ES256'),
]);
const alice = { sub: 'alice', exp: undefined };

function keysOf(...pairs: { jwk: object }[]): unknown {
  return { keys: pairs.map(({ jwk }) => jwk) };
}

/** A pod's authenticator, and the key server behind it. */
function world(first: unknown) {
  const clock = new TestClock();
  const server = { keys: first, isUnavailable: false, hangs: false, asked: 0, answering: Promise.resolve() };
  let failures = 0;
  const load = async (): Promise<unknown> => {
    server.asked += 1;
    if (server.hangs) return new Promise(() => undefined);
    if (server.isUnavailable) throw new Error('away');
    const { keys } = server;
    await server.answering;
    return keys;
  };
  const failed = (): void => void (failures += 1);
  const remoteKeys = new RemoteKeys({ load, clock, cooldownMs: 5_000, staleMs: 86_400_000, failed });
  const authenticator = jwtAuthenticator({
    secret: undefined,
    keySet: undefined,
    remoteKeys,
    clock,
    issuer: undefined,
    audience: undefined,
    userClaim: 'sub',
    permissionsClaim: 'permissions',
  });
  /** The user, or why there is none and for how many milliseconds. */
  const show = async (token: string): Promise<unknown> => {
    const result = await authenticator.authenticate(token);
    return 'fault' in result ? [result.fault, result.reason, result.retryAfterMs] : result.userId;
  };
  const ask = async (key: typeof old): Promise<unknown> => show(await key.sign(alice));
  return { clock, server, ask, show, failures: () => failures };
}

test('an unknown key may become known, and the cooldown limits the requests to the key server', async () => {
  const { clock, server, ask } = world(keysOf(old));
  expect(await ask(old)).toBe('alice');
  server.keys = keysOf(old, young);
  clock.advance(1_000);
  expect(await ask(young)).toEqual(['unavailable', 'unknown_key', 4_000]);
  clock.advance(3_999);
  expect(await ask(young)).toEqual(['unavailable', 'unknown_key', 1_000]);
  expect(server.asked).toBe(1);
  clock.advance(1);
  expect(await ask(young)).toBe('alice');
  expect(server.asked).toBe(2);
});

test('a key that the server does not know when it is asked does not exist', async () => {
  const { clock, ask } = world(keysOf(old));
  expect(await ask(old)).toBe('alice');
  clock.advance(5_000);
  expect(await ask(young)).toEqual(['invalid_token', 'unknown_key', undefined]);
});

test('a token whose key was removed from the set is refused at once', async () => {
  const { clock, server, ask } = world(keysOf(old, young));
  expect(await ask(old)).toBe('alice');
  server.keys = keysOf(young);
  clock.advance(600_000);
  expect(await ask(young)).toBe('alice');
  expect(await ask(old)).toEqual(['invalid_token', 'unknown_key', undefined]);
});

test('a token that arrives while a load is in flight uses its result, and is not refused for good', async () => {
  const { clock, server, ask, show } = world(keysOf(old));
  const token = await young.sign(alice);
  expect(await ask(old)).toBe('alice');
  clock.advance(5_000);
  const answering = Promise.withResolvers<void>();
  server.answering = answering.promise;
  const first = show(token);
  await setImmediate();
  expect(server.asked).toBe(2);
  // Too late for the answer that is on its way.
  server.keys = keysOf(old, young);
  const second = show(token);
  await setImmediate();
  answering.resolve();
  expect(await first).toEqual(['invalid_token', 'unknown_key', undefined]);
  expect(await second).toEqual(['unavailable', 'unknown_key', 5_000]);
  clock.advance(5_000);
  expect(await show(token)).toBe('alice');
  expect(server.asked).toBe(3);
});

test('a key without a name that replaces another is found', async () => {
  const { clock, server, ask } = world(keysOf(nameless));
  expect(await ask(nameless)).toBe('alice');
  server.keys = keysOf(other);
  expect(await ask(other)).toEqual(['unavailable', 'unknown_key', 5_000]);
  clock.advance(5_000);
  expect(await ask(other)).toBe('alice');
  expect(await ask(nameless)).toEqual(['unavailable', 'unknown_key', 5_000]);
});

test.each([3_600_000, -200 * 3_600_000])('a clock that is set back by %d ms changes nothing', async (ms) => {
  const { clock, server, ask } = world(keysOf(old));
  expect(await ask(old)).toBe('alice');
  server.isUnavailable = true;
  clock.setBack(ms);
  expect(await ask(old)).toBe('alice');
  expect(server.asked).toBe(1);
  expect(await ask(young)).toEqual(['unavailable', 'unknown_key', 5_000]);
  clock.advance(600_000);
  expect(await ask(old)).toBe('alice');
  expect(server.asked).toBe(2);
});

test('the pod’s clock decides when a token begins and ends', async () => {
  const { clock, show } = world(keysOf(old));
  const now = clock.now() / 1_000;
  const token = await old.sign({ sub: 'alice', nbf: now + 60, exp: now + 120 });
  expect(await show(token)).toEqual(['invalid_token', 'not_yet_valid', 55_000]);
  clock.advance(60_000);
  expect(await show(token)).toBe('alice');
  clock.advance(70_000);
  expect(await show(token)).toEqual(['token_expired', 'token_expired', undefined]);
});

test('without any keys the server is asked again soon, then with growing pauses', async () => {
  const { clock, server, ask } = world(keysOf(old));
  server.isUnavailable = true;
  for (let second = 0; second < 60; second += 1) {
    expect(await ask(old)).toEqual(['unavailable', 'unavailable', expect.any(Number)]);
    clock.advance(1_000);
  }
  expect(server.asked).toBeGreaterThan(12);
  expect(server.asked).toBeLessThan(20);
  server.isUnavailable = false;
  clock.advance(5_000);
  expect(await ask(old)).toBe('alice');
});

describe('While the key server is unavailable for longer than a refresh interval', () => {
  test('known keys stay valid, and after one failure no token waits for the server', async () => {
    const { clock, server, ask, failures } = world(keysOf(old));
    expect(await ask(old)).toBe('alice');
    server.isUnavailable = true;
    for (const minutes of [11, 60, 600]) {
      clock.advance(minutes * 60_000);
      expect(await ask(old)).toBe('alice');
    }
    server.hangs = true;
    clock.advance(60_000);
    expect(await ask(old)).toBe('alice');
    expect(failures()).toBeGreaterThan(0);
  });

  test('a token with another key gets Retry-After', async () => {
    const { clock, server, ask } = world(keysOf(old));
    expect(await ask(old)).toBe('alice');
    server.isUnavailable = true;
    clock.advance(660_000);
    expect(await ask(young)).toEqual(['unavailable', 'unavailable', 5_000]);
    clock.advance(5_000);
    expect(await ask(young)).toEqual(['unavailable', 'unavailable', 5_000]);
    server.isUnavailable = false;
    server.keys = keysOf(young);
    clock.advance(5_000);
    expect(await ask(young)).toBe('alice');
    expect(await ask(old)).toEqual(['invalid_token', 'unknown_key', undefined]);
  });

  test('the cooldown limits the requests, and an invalid key set is ignored', async () => {
    const { clock, server, ask } = world(keysOf(old));
    expect(await ask(old)).toBe('alice');
    server.keys = { error: 'not now' };
    clock.advance(600_000);
    for (let tenth = 0; tenth < 600; tenth += 1) {
      expect(await ask(old)).toBe('alice');
      clock.advance(100);
    }
    expect(server.asked).toBe(13);
  });

  test('known keys expire JWKS_STALE_SECONDS after their refresh was due, also if no token came', async () => {
    const { clock, server, ask } = world(keysOf(old));
    expect(await ask(old)).toBe('alice');
    server.isUnavailable = true;
    clock.advance(600_000 + 86_400_000 - 1);
    expect(await ask(old)).toBe('alice');
    clock.advance(5_000);
    expect(await ask(old)).toEqual(['unavailable', 'unavailable', 1_000]);
    server.isUnavailable = false;
    clock.advance(5_000);
    expect(await ask(old)).toBe('alice');
  });
});
