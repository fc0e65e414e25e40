import { base64url, decodeProtectedHeader, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { GuestLogin } from '../../src/auth/guest.ts';
import { jwtAuthenticator, type JwtOptions } from '../../src/auth/jwt.ts';
import { inSeconds, keyPair, SECRET, token } from '../support/tokens.ts';

const PREVIOUS = 'the-secret-before-it-0123456789abcdef';
const [rs256, rs384, rs512, ps256, es384, es256] = await Promise.all([
  keyPair('RS256', 'rs256'),
  keyPair('RS384', 'rs384'),
  keyPair('RS512', 'rs512'),
  keyPair('PS256', 'ps256'),
  keyPair('ES384', 'es384'),
  keyPair('ES256', 'es256'),
]);

type Sources = Partial<Pick<JwtOptions, 'secret' | 'previousSecret' | 'keySet' | 'algorithms'>>;

/** The user of the token, or why it is refused. */
async function outcome(text: string, sources: Sources): Promise<string> {
  const result = await jwtAuthenticator({
    secret: undefined,
    keySet: undefined,
    remoteKeys: undefined,
    issuer: undefined,
    audience: undefined,
    userClaim: 'sub',
    permissionsClaim: 'permissions',
    clock: { now: () => Date.now() },
    ...sources,
  }).authenticate(text);
  return 'fault' in result ? result.reason : result.userId;
}

function hmac(alg: string, secret = SECRET): Promise<string> {
  return new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg }).sign(Buffer.from(secret));
}

describe('JWT_SECRET_PREVIOUS', () => {
  const both = { secret: SECRET, previousSecret: PREVIOUS };

  test('is good for tokens, beside the secret that follows it', async () => {
    expect(await outcome(await token({ sub: 'alice' }), both)).toBe('alice');
    expect(await outcome(await token({ sub: 'alice' }, PREVIOUS), both)).toBe('alice');
    expect(await outcome(await token({ sub: 'alice' }, 'another-secret-0123456789'), both)).toBe('signature');
    const expired = await token({ sub: 'alice', exp: inSeconds(-60) }, PREVIOUS);
    expect(await outcome(expired, both)).toBe('token_expired');
  });

  test('is good beside public keys alone', async () => {
    const sources = { previousSecret: PREVIOUS, keySet: { keys: [es256.jwk] } };
    expect(await outcome(await token({ sub: 'alice' }, PREVIOUS), sources)).toBe('alice');
    expect(await outcome(await es256.sign({ sub: 'alice' }), sources)).toBe('alice');
    expect(await outcome(await token({ sub: 'alice' }, es256.pem), sources)).toBe('signature');
  });

  test('signs no guest', async () => {
    const guests = new GuestLogin({
      secret: SECRET,
      prefix: 'guest:',
      permissions: undefined,
      permissionsClaim: 'permissions',
      userClaim: 'sub',
      issuer: undefined,
      audience: undefined,
      now: () => Date.now(),
    });
    const guest = (await guests.login('ann'))?.token ?? '';
    expect(await outcome(guest, { secret: PREVIOUS })).toBe('signature');
    expect(await outcome(guest, both)).toBe('guest:ann');
  });
});

describe('JWT_ALGORITHMS', () => {
  const keySet = { keys: [rs256, rs384, rs512, ps256, es384].map(({ jwk }) => jwk) };

  test('adds to the usual ones', async () => {
    const sources = { keySet, algorithms: ['RS384', 'PS256', 'ES384'] };
    for (const key of [rs256, rs384, ps256, es384])
      expect(await outcome(await key.sign({ sub: 'alice' }), sources)).toBe('alice');
    expect(await outcome(await rs512.sign({ sub: 'alice' }), sources)).toBe('algorithm');
    for (const key of [rs384, ps256, es384])
      expect(await outcome(await key.sign({ sub: 'alice' }), { keySet })).toBe('algorithm');
  });

  test('adds to HS256, for the previous secret too', async () => {
    const sources = { secret: SECRET, previousSecret: PREVIOUS, algorithms: ['HS384', 'HS512'] };
    for (const alg of ['HS256', 'HS384', 'HS512'])
      for (const secret of [SECRET, PREVIOUS])
        expect(await outcome(await hmac(alg, secret), sources)).toBe('alice');
    expect(await outcome(await hmac('HS384'), { secret: SECRET })).toBe('algorithm');
  });

  test('never lets a key of one kind stand for another', async () => {
    const sources = { secret: SECRET, keySet, algorithms: ['HS384', 'RS384'] };
    for (const text of [rs384.pem, JSON.stringify(rs384.jwk), String(rs384.jwk.n)])
      expect(await outcome(await hmac('HS384', text), sources)).toBe('signature');
    expect(await outcome(await hmac('HS384', rs384.pem), { keySet, algorithms: ['RS384'] })).toBe(
      'algorithm',
    );
  });

  test('never accepts a token without a signature', async () => {
    const header = base64url.encode('{"alg":"none"}');
    const text = `${header}.${base64url.encode('{"sub":"alice"}')}.`;
    expect(decodeProtectedHeader(text).alg).toBe('none');
    expect(await outcome(text, { secret: SECRET, keySet, algorithms: ['HS384'] })).toBe('algorithm');
  });
});
