import { authenticator, bearer, world } from './world.ts';
import { describe, expect, test } from 'vitest';
import { trustedProxies } from '../../src/setting-kinds.ts';
import { clientAddress } from '../../src/http/client-address.ts';
import { Throttle } from '../../src/http/throttle.ts';

describe('the rate limit', () => {
  test('lets a burst of twice the rate through, then answers 429', async () => {
    const { test, get } = world({ requestsPerSecond: 2 });
    for (let n = 0; n < 4; n += 1) expect((await get('/api/rooms')).status).toBe(200);
    const refused = await get('/api/rooms');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(refused.headers.get('Retry-After')).toBe('1');
    test.clock.advance(500);
    expect((await get('/api/rooms')).status).toBe(200);
    expect((await get('/api/rooms')).status).toBe(429);
  });

  test('counts each API key, user and address separately', async () => {
    const { get } = world({ requestsPerSecond: 1, apiKeys: ['a', 'b'], authenticator });
    for (const headers of [{ 'X-API-Key': 'a' }, { 'X-API-Key': 'b' }, bearer('api-token'), {}]) {
      for (const from of ['10.0.0.1', '10.0.0.2']) {
        const answer = await get('/api/rooms', { headers, from });
        expect(answer.status).toBe(Object.keys(headers).length === 0 ? 401 : 200);
      }
      // Those who said who they are have used up their two; the addresses have one left each.
      const third = await get('/api/rooms', { headers, from: '10.0.0.3' });
      expect(third.status).toBe(Object.keys(headers).length === 0 ? 401 : 429);
    }
  });

  test('counts wrong keys and guest logins by address', async () => {
    const { get, ask } = world({ requestsPerSecond: 1, apiKeys: ['a'] });
    const from = '10.0.0.1';
    expect((await get('/api/rooms', { headers: { 'X-API-Key': 'guess 1' }, from })).status).toBe(401);
    expect((await ask('POST', '/api/auth/guest', { body: {}, from })).status).toBe(404);
    expect((await get('/api/rooms', { headers: { 'X-API-Key': 'guess 2' }, from })).status).toBe(429);
    expect((await ask('POST', '/api/auth/guest', { body: {}, from })).status).toBe(429);
    expect((await get('/api/rooms', { headers: { 'X-API-Key': 'a' }, from })).status).toBe(200);
  });

  test('believes X-Forwarded-For only with TRUST_PROXY', async () => {
    for (const trustProxy of [false, true]) {
      const { get } = world({ requestsPerSecond: 1, trustProxy });
      const statuses: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        const headers = { 'X-Forwarded-For': `1.1.1.1, 10.0.0.${n}` };
        statuses.push((await get('/api/rooms', { headers, from: '127.0.0.1' })).status);
      }
      expect(statuses).toEqual(trustProxy ? [200, 200, 200] : [200, 200, 429]);
    }
  });

  test('a preflight is not counted', async () => {
    const { ask } = world({ requestsPerSecond: 1 });
    for (let n = 0; n < 5; n += 1) expect((await ask('OPTIONS', '/api/rooms')).status).toBe(204);
  });

  test('remembers a limited number of callers, and forgets the least recent ones', () => {
    const throttle = new Throttle(1, 2);
    const take = (name: string): number => throttle.take(name, 0);
    expect([take('a'), take('a'), take('b'), take('a')]).toEqual([0, 0, 0, 1]);
    take('c');
    expect(take('a')).toBe(1);
    expect([take('b'), take('b'), take('b')]).toEqual([0, 0, 1]);
  });
});

describe('the client’s address', () => {
  test.each([
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
    ['10.0.0.1', '1.2.3.4:5678', '1.2.3.4'],
    ['10.0.0.1', '[2001:db8::1]:5678', '2001:db8:0:0::/64'],
    ['10.0.0.1', '1.2.3.4, unknown', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['::ffff:10.0.0.1', undefined, '10.0.0.1'],
    ['2001:DB8:0:1:aa::2', undefined, '2001:db8:0:1::/64'],
    ['2001:db8:0000:0001:ffff:ffff:ffff:ffff', undefined, '2001:db8:0:1::/64'],
    ['fe80::1%eth0', undefined, 'fe80:0:0:0::/64'],
    ['::1', undefined, '0:0:0:0::/64'],
    [undefined, undefined, ''],
  ])('of peer %s and header %s is %s', (peer, header, address) => {
    expect(clientAddress(peer, header, true)).toBe(address);
  });

  test.each<[string, string | undefined, string]>([
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.2', '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6,1.2.3.4:5678,[fd00::2]:80', '1.2.3.4'],
    ['10.0.0.1', '1.2.3.4', '1.2.3.4'],
    ['10.0.0.1', 'unknown, 10.0.0.2', '10.0.0.2'],
    ['10.0.0.1', undefined, '10.0.0.1'],
  ])('behind two proxies, of peer %s and header %s, is %s', (peer, header, address) => {
    expect(clientAddress(peer, header, 2)).toBe(address);
  });

  test.each<[string, string | undefined, string]>([
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 10.0.0.3, fd00::2', '1.2.3.4'],
    ['::ffff:10.0.0.1', '1.2.3.4, ::ffff:10.9.9.9', '1.2.3.4'],
    ['10.0.0.1', '10.0.0.3', '10.0.0.3'],
    ['10.0.0.1', '1.2.3.4, unknown, 10.0.0.3', '10.0.0.3'],
    ['8.8.8.8', '1.2.3.4', '8.8.8.8'],
    ['192.0.2.7', '1.2.3.4', '1.2.3.4'],
    ['192.0.2.8', '1.2.3.4', '192.0.2.8'],
    ['10.0.0.1', undefined, '10.0.0.1'],
  ])('behind proxies in networks, of peer %s and header %s, is %s', (peer, header, address) => {
    const networks = trustedProxies.read('10.0.0.0/8, fd00::/8, 192.0.2.7') ?? false;
    expect(clientAddress(peer, header, networks)).toBe(address);
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/',
    'proxy.example',
    'true,10.0.0.0/8',
    '-1',
    '100',
    ',',
  ])('is not taken from proxies that are %s', (text) => expect(trustedProxies.read(text)).toBeUndefined());

  test('is the peer’s if no proxy is trusted', () => {
    for (const text of ['false', 'FALSE', '0']) {
      const none = trustedProxies.read(text) ?? true;
      expect(clientAddress('10.0.0.1', '1.2.3.4', none)).toBe('10.0.0.1');
    }
  });
});

describe('the body', () => {
  const path = '/api/rooms/r/messages';

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data'])(
    'is refused as %s',
    async (type) => {
      const answer = await world().post(path, '{}', { 'Content-Type': type });
      expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    },
  );

  test('is refused without a type', async () => {
    const answer = await world().post(path, '{}', { 'Content-Type': '' });
    expect(answer.status).toBe(415);
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'is taken as %s',
    async (type) => {
      expect((await world().post(path, '{}', { 'Content-Type': type })).status).toBe(200);
    },
  );

  test('may have MAX_MESSAGE_BYTES, counted as they arrive', async () => {
    const { post } = world({ maxBodyBytes: 100 });
    const body = (bytes: number): string => JSON.stringify({ data: 'é' }).padEnd(bytes - 1);
    expect((await post(path, body(100))).status).toBe(200);
    expect(await post(path, body(101))).toMatchObject({ status: 413, body: { code: 'too_large' } });
    // A length that is made up changes nothing.
    expect((await post(path, body(101), { 'Content-Length': '5' })).status).toBe(413);
    expect((await post(path, '{}', { 'Content-Length': '101' })).status).toBe(413);
  });

  test.each(['{', '{"data":}', 'undefined', '\u{feff}', '{"a":1}}', "{'a':1}"])(
    'is refused as %s',
    async (text) => {
      const answer = await world().post(path, text);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
    },
  );

  test('is required where the route needs one', async () => {
    const answer = await world().post('/api/event', '');
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test('may have unknown fields', async () => {
    const body = { id: 'mine', timestamp: 'never', constructor: 1, toString: 2, data: 1 };
    expect((await world().post(path, body)).status).toBe(200);
  });
});
