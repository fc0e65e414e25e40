import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { GuestLogin, type GuestOptions } from '../../src/auth/guest.ts';
import { jwtAuthenticator } from '../../src/auth/jwt.ts';
import { SECRET } from '../support/tokens.ts';

const now = Date.now();
const OPTIONS: GuestOptions = {
  secret: SECRET,
  prefix: 'guest:',
  permissions: undefined,
  permissionsClaim: 'permissions',
  userClaim: 'sub',
  issuer: undefined,
  audience: undefined,
  now: () => now,
};

/** What the server that gave the token makes of it. */
async function principalOf(more: Partial<GuestOptions> = {}) {
  const options = { ...OPTIONS, ...more };
  const guest = await new GuestLogin(options).login('Zoë');
  const authenticator = jwtAuthenticator({
    ...options,
    remoteKeys: undefined,
    keySet: undefined,
    clock: options,
  });
  const principal = await authenticator.authenticate(guest?.token ?? '');
  if ('fault' in principal) throw new Error(principal.fault);
  return principal;
}

describe('A guest', () => {
  test('gets a token that the server accepts for one hour, for the name with the prefix', async () => {
    const principal = await principalOf();
    expect(principal.userId).toBe('guest:Zoë');
    expect(Math.abs((principal.expiresAt ?? 0) - (now + 3_600_000))).toBeLessThan(1_000);
    expect(principal.permissions.allow('publish', 'lobby', principal.userId)).toBe(true);
    expect(principal.permissions.allow('publish', '@global', principal.userId)).toBe(false);
  });

  test('gets a valid token if issuer, audience and other claim names are configured', async () => {
    const principal = await principalOf({
      issuer: 'https://issuer.example',
      audience: 'chat',
      userClaim: 'login',
      permissionsClaim: 'may',
      permissions: ['join:lobby'],
    });
    expect(principal.userId).toBe('guest:Zoë');
    expect(principal.permissions.allow('join', 'lobby', principal.userId)).toBe(true);
    expect(principal.permissions.allow('publish', 'lobby', principal.userId)).toBe(false);
  });

  test('cannot have a name that differs from another only by invisible characters', async () => {
    for (const prefix of ['', 'guest:']) {
      for (const name of ['\u200Bann', 'ann\uFEFF', '\u200Cann', 'a\u00ADnn']) {
        expect(await new GuestLogin({ ...OPTIONS, prefix }).login(name)).toBeUndefined();
      }
      expect(await new GuestLogin({ ...OPTIONS, prefix }).login('می\u200Cخواهم')).toBeDefined();
    }
  });

  test('may have an empty list of permissions', async () => {
    const principal = await principalOf({ permissions: [] });
    expect(principal.permissions.allow('join', 'lobby', principal.userId)).toBe(false);
  });

  test('gets the expiry of the token in the answer', async () => {
    const guest = await new GuestLogin(OPTIONS).login('Zoë');
    const { exp = 0 } = decodeJwt(guest?.token ?? '');
    expect(Math.floor((guest?.expiresAt ?? 0) / 1_000)).toBe(exp);
    expect(guest?.userId).toBe('guest:Zoë');
  });

  test('gets no token while authentication is off', async () => {
    const guest = await new GuestLogin({ ...OPTIONS, secret: undefined, prefix: '' }).login('Zoë');
    expect(guest).toMatchObject({ token: null, userId: 'Zoë' });
  });

  test.each(['', ' ', 'a\nb', 'x'.repeat(257)])('cannot have the name %j', async (name) => {
    expect(await new GuestLogin(OPTIONS).login(name)).toBeUndefined();
    expect(await new GuestLogin({ ...OPTIONS, prefix: '' }).login(name)).toBeUndefined();
  });

  test.each(['system', 'conn:x', '@x'])('may have the name %j only with a prefix', async (name) => {
    expect(await new GuestLogin({ ...OPTIONS, prefix: '' }).login(name)).toBeUndefined();
    expect((await new GuestLogin(OPTIONS).login(name))?.userId).toBe(`guest:${name}`);
  });
});
