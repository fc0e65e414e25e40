import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { open, refused } from '../support/client.ts';
import { type Pod, startPod } from '../support/pod.ts';
import { loadConfig } from '../../src/config.ts';
import { settled } from './people.ts';

const pod = await startPod({
  ALLOWED_ORIGINS:
    'https://app.example.com, https://*.example.org,http://localhost:5173,https://*.ports.example:8443,https://default.example:443,capacitor://localhost',
  CORS_ALLOWED_ORIGINS: 'https://other.example',
});
const another = await startPod({ CORS_ALLOWED_ORIGINS: 'https://app.example.com' });
const anywhere = await startPod();
const selfish = await startPod({ ALLOWED_ORIGINS: 'self,https://app.example.com' });
const star = await startPod({ ALLOWED_ORIGINS: 'https://app.example.com,*' });
afterAll(() => Promise.all([pod.stop(), another.stop(), anywhere.stop(), star.stop(), selfish.stop()]));

describe('An upgrade passes', () => {
  test.each([
    ['the origin that is listed', 'https://app.example.com'],
    ['one with a port that is listed', 'http://localhost:5173'],
    ['one that is no web page but listed', 'capacitor://localhost'],
    ['one label below', 'https://a.example.org'],
    ['several labels below', 'https://a.b-c.d9.example.org'],
    ['one label below with the port', 'https://a.ports.example:8443'],
    ['one whose usual port is written out in the list', 'https://default.example'],
  ])('from %s', async (_, origin) => {
    await settled(await open(pod, '/ws', { headers: { Origin: origin } }));
    await settled(await open(pod, '/ws/room', { headers: { Origin: origin } }));
  });

  test('without an origin: that is no browser', async () => {
    await settled(await open(pod, '/ws'));
  });

  test.each(['https://anything.example', 'http://127.0.0.1:1', 'null'])(
    'from %s where every origin is allowed, which is the default',
    async (origin) => {
      await settled(await open(anywhere, '/ws', { headers: { Origin: origin } }));
      await settled(await open(star, '/ws', { headers: { Origin: origin } }));
    },
  );
});

describe('An upgrade is refused with 403', () => {
  test.each([
    ['an origin that is not listed', 'https://evil.example'],
    ['another scheme', 'http://app.example.com'],
    ['another port', 'https://app.example.com:8443'],
    ['no port where one is listed', 'http://localhost'],
    ['another port where one is listed', 'http://localhost:5174'],
    ['a domain below one that is listed exactly', 'https://x.app.example.com'],
    ['the bare domain', 'https://example.org'],
    ['an empty label', 'https://.example.org'],
    ['an empty label among others', 'https://a..example.org'],
    ['a domain that only ends alike', 'https://evilexample.org'],
    ['a domain that only begins alike', 'https://a.example.org.evil.example'],
    ['the scheme http below the domain', 'http://a.example.org'],
    ['another scheme below the domain', 'wssss://a.example.org'],
    ['the scheme http below the domain, with one more letter', 'http://ab.example.org'],
    ['a port below the domain', 'https://a.example.org:8443'],
    ['no port below the domain where one is listed', 'https://a.ports.example'],
    ['a user before the domain', 'https://evil.example/@a.example.org'],
    ['a user name with the domain', 'https://evil@a.example.org'],
    ['a path that ends alike', 'https://evil.example/.example.org'],
    ['a query that ends alike', 'https://evil.example?.example.org'],
    ['a fragment that ends alike', 'https://evil.example#.example.org'],
    ['a port that ends alike', 'https://evil.example:1.example.org'],
    ['the pattern itself', 'https://*.example.org'],
    ['a star', '*'],
    ['a page without an origin of its own', 'null'],
    ['nonsense', 'nonsense'],
    ['two origins', 'https://app.example.com https://evil.example'],
    ['what is listed under the other name of the setting', 'https://other.example'],
  ])('from %s', async (_, origin) => {
    const { status, headers, body } = await refused(pod, '/ws', { Origin: origin });
    expect(status).toBe(403);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toEqual({ error: 'origin not allowed', code: 'origin_not_allowed' });
  });

  test('and is counted', async () => {
    await refused(pod, '/ws', { Origin: 'https://evil.example' });
    const metrics = await (await fetch(`${pod.opsUrl}/metrics`)).text();
    expect(metrics).toMatch(/^realtime_upgrades_refused\{reason="origin_not_allowed"\} [1-9]/m);
  });
});

test('CORS_ALLOWED_ORIGINS is another name of the setting', async () => {
  await settled(await open(another, '/ws', { headers: { Origin: 'https://app.example.com' } }));
  expect((await refused(another, '/ws', { Origin: 'https://evil.example' })).status).toBe(403);
});

describe('A value is wrong', () => {
  test.each([
    'app.example.com',
    'https://',
    'https://app.example.com/',
    'https://app.example.com/path',
    'https://app.example.com?x',
    'https://user@app.example.com',
    'https://app.example.com:',
    'https://app.example.com:port',
    'https://app.example.com:99999',
    'https://*',
    'https://*example.com',
    'https://a.*.example.com',
    'https://*.*.example.com',
    'https://*.',
    '*.example.com',
    '*://app.example.com',
    'https://app.example.com https://b.example.com',
    'https://app.example.com,nonsense',
    'https://[::1]/',
    'https://[::1',
    'https://[::g]',
    'https://*.[::1]',
    'selfish',
    ',',
  ])('if it is %s, under both names', (given) => {
    for (const name of ['ALLOWED_ORIGINS', 'CORS_ALLOWED_ORIGINS']) {
      expect(() => loadConfig({ [name]: given })).toThrow(new RegExp(`^${name}: .*allowed: `));
    }
  });
});

describe('self lets pages in that come from the host that the request names', () => {
  const settings = { ALLOWED_ORIGINS: 'self,https://app.example.com' };
  const isLetIn = async (to: Pod, origin: string, headers: Record<string, string>): Promise<boolean> => {
    const client = open(to, '/ws', { headers: { Origin: origin, ...headers } });
    return client.then(
      () => true,
      () => false,
    );
  };

  test.each<[origin: string, host: string, isIn: boolean]>([
    ['https://chat.example', 'chat.example', true],
    ['http://chat.example', 'chat.example', true],
    ['https://chat.example', 'chat.example:443', true],
    ['https://chat.example:443', 'chat.example', true],
    ['http://chat.example:80', 'chat.example', true],
    ['ws://chat.example', 'chat.example', true],
    ['http://Chat.example:8080', 'chat.Example:8080', true],
    ['http://[::1]:8080', '[::1]:8080', true],
    ['https://app.example.com', 'chat.example', true],
    ['https://chat.example:8443', 'chat.example', false],
    ['https://chat.example', 'chat.example:8080', false],
    ['https://evil.example', 'chat.example', false],
    ['https://chat.example.evil.example', 'chat.example', false],
    ['https://evil.example/chat.example', 'chat.example', false],
    ['https://evil@chat.example', 'chat.example', false],
    ['null', 'chat.example', false],
    ['null', 'null', false],
  ])('%s to %s: %s', async (origin, Host, isIn) => {
    expect(await isLetIn(selfish, origin, { Host })).toBe(isIn);
    const { headers } = await preflight(selfish, { Host, Origin: origin });
    expect(headers['access-control-allow-origin']).toBe(isIn ? origin : undefined);
  });

  test('and by X-Forwarded-Host only where a trusted proxy says so', async () => {
    const headers = { Host: 'pod.internal', 'X-Forwarded-Host': 'chat.example, inner.example' };
    for (const [TRUST_PROXY, isIn] of [
      ['false', false],
      ['true', true],
      ['127.0.0.0/8', true],
      ['10.0.0.0/8', false],
    ] as const) {
      const behind = await startPod({ ...settings, TRUST_PROXY });
      expect(await isLetIn(behind, 'https://chat.example', headers)).toBe(isIn);
      expect(await isLetIn(behind, 'https://inner.example', headers)).toBe(false);
      expect(await isLetIn(behind, 'https://pod.internal', headers)).toBe(!isIn);
      await behind.stop();
    }
  });

  test('and is never implied', async () => {
    expect(await isLetIn(another, another.url, {})).toBe(false);
  });

  test('and names are advised at start while nobody needs a token', () => {
    expect(selfish.output()).toMatch(/ALLOWED_ORIGINS contains self.*list origins by name/);
    expect(pod.output()).not.toContain('self');
  });
});

test('null and IPv6 hosts may be listed', async () => {
  const listed = await startPod({ ALLOWED_ORIGINS: 'null,http://[::1]:3000,https://[2001:DB8:0::1]:443' });
  for (const origin of ['null', 'http://[::1]:3000', 'https://[2001:db8::1]']) {
    await settled(await open(listed, '/ws', { headers: { Origin: origin } }));
  }
  for (const origin of ['http://[::1]', 'http://[::2]:3000', 'http://localhost:3000']) {
    expect((await refused(listed, '/ws', { Origin: origin })).status).toBe(403);
  }
  await listed.stop();
});

/** A page that asks the server it comes from sends no Origin; its WebSocket does. */
test('?explain=1 knows the page also by its Referer', async () => {
  const why = async (headers: Record<string, string>): Promise<unknown> => {
    const { body } = await plain(another, 'GET', '/ws?explain=1', headers);
    return (JSON.parse(body) as { code?: string }).code;
  };
  expect(await why({ Referer: `${another.url}/` })).toBe('origin_not_allowed');
  expect(await why({ Referer: 'https://app.example.com/a?b' })).toBeUndefined();
  expect(await why({ Referer: `${another.url}/`, 'Sec-Fetch-Mode': 'navigate' })).toBeUndefined();
  expect(await why({})).toBeUndefined();
});

interface Plain {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function preflight(to: Pod, headers: Record<string, string>): Promise<Plain> {
  return plain(to, 'OPTIONS', '/api/event', headers);
}

/** fetch would write a Host and a Referer of its own. */
async function plain(to: Pod, method: string, path: string, headers: Record<string, string>): Promise<Plain> {
  const [answer] = (await once(request(to.url + path, { method, headers }).end(), 'response')) as [
    IncomingMessage,
  ];
  return { headers: answer.headers, body: await text(answer) };
}
