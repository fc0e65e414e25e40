import { describe, expect, test } from 'vitest';
import { createApi } from '../../src/http/api.ts';
import { Hono } from 'hono';
import type { Log } from '../../src/core/ports/log.ts';
import { Origins } from '../../src/core/base/origins.ts';
import { read, world } from './world.ts';
import { Refused } from '../../src/core/base/refused.ts';
import { TestPod } from '../support/test-pod.ts';

describe('CORS', () => {
  const origin = 'https://app.example.com';

  test('lets every page read the answers if every origin is allowed', async () => {
    const answer = await world().get('/api/rooms', { headers: { Origin: origin } });
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(answer.headers.get('Access-Control-Expose-Headers')).toBe('Retry-After');
  });

  test('names an allowed origin and no other', async () => {
    const { get } = world({ allowedOrigins: ['https://*.example.com'] });
    const allowed = await get('/api/rooms', { headers: { Origin: origin } });
    expect(allowed.headers.get('Access-Control-Allow-Origin')).toBe(origin);
    expect(allowed.headers.get('Vary')).toContain('Origin');
    for (const other of ['https://example.org', 'http://app.example.com', 'null']) {
      const answer = await get('/api/rooms', { headers: { Origin: other } });
      expect(answer.headers.has('Access-Control-Allow-Origin')).toBe(false);
    }
  });

  test('answers a preflight with 204 without a key', async () => {
    const { ask } = world({ apiKeys: ['k'], allowedOrigins: [origin] });
    for (const path of ['/api/event', '/api/rooms/r/messages', '/openapi.json']) {
      const answer = await ask('OPTIONS', path, {
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe(origin);
      expect(answer.headers.get('Access-Control-Allow-Methods')).toBe('GET,POST,PUT,DELETE,OPTIONS');
      expect(answer.headers.get('Access-Control-Allow-Headers')).toBe(
        'Content-Type,Authorization,X-API-Key,Idempotency-Key,Last-Event-ID,X-Stream-Key',
      );
    }
    const other = await ask('OPTIONS', '/api/event', { headers: { Origin: 'https://example.org' } });
    expect(other.status).toBe(204);
    expect(other.headers.has('Access-Control-Allow-Origin')).toBe(false);
  });

  test('allows credentials only where cookies are passed on, for origins listed by name or wildcard', async () => {
    const listed = [origin, 'https://*.example.net', 'self'];
    const allowed = async (from: string, cookies: boolean, method = 'GET'): Promise<unknown> => {
      const { ask } = world({ origins: new Origins(listed, { withCookies: cookies }) });
      const { headers } = await ask(method, '/api/rooms', {
        headers: { Origin: from, Host: 'self.example', 'Access-Control-Request-Method': 'GET' },
      });
      return [
        headers.get('Access-Control-Allow-Origin') === from,
        headers.get('Access-Control-Allow-Credentials'),
      ];
    };
    for (const method of ['GET', 'OPTIONS'])
      for (const from of [origin, 'https://a.example.net']) {
        expect(await allowed(from, true, method)).toEqual([true, 'true']);
        expect(await allowed(from, false, method)).toEqual([true, null]);
      }
    expect(await allowed('https://self.example', true)).toEqual([true, null]);
    expect(await allowed('http://self.example', true)).toEqual([false, null]);
    expect(await allowed('https://evil.example', true)).toEqual([false, null]);
  });

  test('lets a page read errors too', async () => {
    const { get, post } = world({ apiKeys: ['k'], requestsPerSecond: 1 });
    const headers = { Origin: origin };
    const answers = [
      await get('/api/rooms', { headers }),
      await get('/api/nothing', { headers: { ...headers, 'X-API-Key': 'k' } }),
      await post('/api/event', {}, { ...headers, 'X-API-Key': 'k' }),
      await get('/api/rooms', { headers: { ...headers, 'X-API-Key': 'k' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 404, 400, 429]);
    for (const answer of answers) expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

describe('errors', () => {
  test.each([
    ['/api', 'GET'],
    ['/api/', 'GET'],
    ['/api/nothing', 'GET'],
    ['/api/rooms/', 'GET'],
    ['/api/rooms/r/messages/1', 'POST'],
    ['/api/rooms//messages', 'POST'],
  ])('%s is not there', async (path, method) => {
    const answer = await world().ask(method, path);
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'not_found', error: expect.any(String) as string },
    });
  });

  test.each([
    ['GET', '/api/event', 'POST, OPTIONS'],
    ['DELETE', '/api/rooms', 'GET, HEAD, OPTIONS'],
    ['PUT', '/api/rooms/r/messages', 'POST, OPTIONS'],
    ['PATCH', '/api/users/u/disconnect', 'POST, OPTIONS'],
    ['GET', '/api/auth/guest', 'POST, OPTIONS'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('%s %s is answered with 405 and Allow: %s', async (method, path, allow) => {
    const { ask } = world({ guest: { login: () => Promise.resolve(undefined) } });
    const answer = await ask(method, path);
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('Allow')).toBe(allow);
  });

  test('HEAD is answered like GET without a body', async () => {
    expect(await world().ask('HEAD', '/api/rooms')).toMatchObject({ status: 200, text: '' });
  });

  function failing(cause: Error): { api: Hono; lines: unknown[] } {
    const { pod } = new TestPod();
    const lines: unknown[] = [];
    const log: Log = { ...pod.log, error: (fields, message) => void lines.push({ ...fields, message }) };
    const broker = Object.assign(Object.create(pod.broker) as typeof pod.broker, {
      publish: () => Promise.reject(cause),
      read: () => Promise.reject(cause),
    });
    const api = createApi({
      pod: { ...pod, broker, log },
      origins: new Origins(['*']),
      clientHttp: true,
      apiKeys: ['the-key'],
      maxBodyBytes: 1_000,
      requestsPerSecond: 1_000,
      trustProxy: false,
    });
    // As app.ts mounts it.
    const app = new Hono();
    app.route('/', api);
    return { api: app, lines };
  }

  const request = {
    method: 'POST',
    headers: { 'X-API-Key': 'the-key', 'Content-Type': 'application/json' },
    body: '{"data":"the-secret"}',
  };

  test('an unexpected error is answered with 500, and logged without the request', async () => {
    const { api, lines } = failing(new Error('broken'));
    const answer = await read(await api.request('/api/rooms/r/messages', request));
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(answer.text).not.toContain('broken');
    expect(lines).toEqual([{ err: new Error('broken'), message: 'a request failed' }]);
    expect(JSON.stringify(lines)).not.toMatch(/the-key|the-secret/);
  });

  test('an unavailable engine is answered with 503 and Retry-After, and not logged as a failure', async () => {
    const { api, lines } = failing(new Refused('unavailable'));
    const answer = await read(await api.request('/api/rooms/r/messages', request));
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(Number(answer.headers.get('Retry-After'))).toBeGreaterThan(0);
    expect(lines).toEqual([]);
  });

  test('an error of one message of a batch is reported for that message', async () => {
    const { api, lines } = failing(new Error('broken'));
    const body = '{"messages":[{"room":"r"},{"room":"r","ephemeral":true}]}';
    const answer = await read(await api.request('/api/messages', { ...request, body }));
    expect(answer).toMatchObject({
      status: 200,
      body: { results: [{ code: 'internal' }, { id: expect.any(String) as string }] },
    });
    expect(lines).toHaveLength(1);
  });
});
