import { describe, expect, test } from 'vitest';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import type { Principal } from '../../src/core/ports/principal.ts';
import { type Claims, SECRET, token } from '../support/tokens.ts';

/** What the pod makes of a token with these claims. */
async function outcome(claims: Claims, roomsClaim: string | undefined) {
  return jwtAuthenticator({
    secret: SECRET,
    keySet: undefined,
    remoteKeys: undefined,
    issuer: undefined,
    audience: undefined,
    userClaim: 'sub',
    permissionsClaim: 'permissions',
    roomsClaim,
    clock: { now: () => Date.now() },
  }).authenticate(await token({ sub: 'alice', ...claims }));
}

describe('JWT_ROOMS_CLAIM', () => {
  test.each<[unknown, readonly string[] | undefined]>([
    [undefined, undefined],
    [[], []],
    [['lobby'], ['lobby']],
    [
      ['a', 'user-guest:3abob', 'a', 'b'],
      ['a', 'user-guest:3abob', 'b'],
    ],
    [['r'.repeat(128)], ['r'.repeat(128)]],
  ])('%j gives the rooms %j', async (rooms, expected) => {
    const principal = (await outcome({ rooms }, 'rooms')) as Principal;
    expect([principal.userId, principal.rooms]).toEqual(['alice', expected]);
  });

  test.each([
    null,
    '',
    'lobby',
    7,
    {},
    { 0: 'lobby', length: 1 },
    [''],
    ['lobby', 7],
    ['lobby', null],
    [['lobby']],
    ['-lobby'],
    ['a b'],
    ['@global'],
    ['lobby*'],
    ['user-{user}'],
    ['r'.repeat(129)],
  ])('that is %j refuses the token', async (rooms) => {
    expect(await outcome({ rooms }, 'rooms')).toEqual({ fault: 'invalid_token', reason: 'rooms' });
  });

  test('has the name of the setting, and is not read without one', async () => {
    const claims = { rooms: 7, 'https://app.example/rooms': ['lobby'] };
    expect(await outcome(claims, undefined)).toMatchObject({ userId: 'alice' });
    expect(await outcome(claims, undefined)).not.toHaveProperty('rooms');
    expect(await outcome(claims, 'https://app.example/rooms')).toMatchObject({ rooms: ['lobby'] });
  });
});
