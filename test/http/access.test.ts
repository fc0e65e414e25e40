import { authenticator, bearer, world } from './world.ts';
import { describe, expect, test } from 'vitest';

describe('access', () => {
  test('without API keys and authentication the API is open', async () => {
    const { get } = world();
    for (const headers of [{}, { 'X-API-Key': 'any' }, bearer('any')]) {
      expect((await get('/api/rooms', { headers })).status).toBe(200);
    }
  });

  test('needs one of the API keys', async () => {
    const { get } = world({ apiKeys: ['first', 'second'] });
    for (const key of ['first', 'second']) {
      expect((await get('/api/rooms', { headers: { 'X-API-Key': key } })).status).toBe(200);
    }
    const none = await get('/api/rooms');
    expect(none).toMatchObject({ status: 401, body: { code: 'missing_api_key' } });
    expect(none.headers.get('WWW-Authenticate')).toBe('Bearer');
    for (const key of ['first ,second', 'firs', 'FIRST', '', 'é']) {
      const answer = await get('/api/rooms', { headers: { 'X-API-Key': key } });
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_api_key' } });
      expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer error="invalid_token"');
    }
    expect((await get('/api/rooms', { headers: bearer('api-token') })).status).toBe(401);
  });

  test('accepts a token with the permission', async () => {
    const { get } = world({ authenticator });
    for (const token of ['api-token', 'other-api-token']) {
      expect((await get('/api/rooms', { headers: bearer(token) })).status).toBe(200);
    }
    for (const token of ['plain-token', 'rooms-token']) {
      const answer = await get('/api/rooms', { headers: bearer(token) });
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });

  test.each([
    [{}, 401, 'missing_token', 'missing token'],
    [{ Authorization: 'Basic api-token' }, 401, 'missing_token', 'missing token'],
    [{ Authorization: 'Bearer' }, 401, 'missing_token', 'missing token'],
    [bearer('forged'), 401, 'invalid_token', 'invalid token'],
    [bearer('expired'), 401, 'token_expired', 'token expired'],
    [
      bearer('unchecked'),
      503,
      'unavailable',
      'the keys to check tokens cannot be loaded now; retry later with the same token',
    ],
    [{ ...bearer('api-token'), 'X-API-Key': 'wrong' }, 401, 'invalid_api_key', 'invalid API key'],
  ])('%j is answered with %i %s', async (headers, status, code, error) => {
    const answer = await world({ authenticator }).get('/api/rooms', { headers });
    expect(answer).toMatchObject({ status, body: { code, error } });
    expect(answer.headers.has('Retry-After')).toBe(status === 503);
  });

  test('accepts keys and tokens if both are configured', async () => {
    const { get } = world({ apiKeys: ['k'], authenticator });
    expect((await get('/api/rooms', { headers: { 'X-API-Key': 'k' } })).status).toBe(200);
    expect((await get('/api/rooms', { headers: bearer('api-token') })).status).toBe(200);
    const both = { 'X-API-Key': 'k', ...bearer('forged') };
    expect((await get('/api/rooms', { headers: both })).status).toBe(200);
  });

  test('does and reveals nothing before the caller is known', async () => {
    const { ask } = world({ apiKeys: ['k'] });
    for (const [method, path] of [
      ['POST', '/api/event'],
      ['GET', '/api/nothing'],
      ['DELETE', '/api/rooms'],
      ['POST', '/api/rooms/!/messages'],
    ] as const) {
      const body = method === 'POST' ? '{' : undefined;
      expect((await ask(method, path, { body })).status).toBe(401);
    }
  });

  test('the documents need no key', async () => {
    const { get } = world({ apiKeys: ['k'] });
    for (const path of ['/openapi.json', '/asyncapi.json']) expect((await get(path)).status).toBe(200);
  });
});
