import { afterAll, describe, expect, test } from 'vitest';
import { open, refused } from '../support/client.ts';
import { startPod } from '../support/pod.ts';
import { loadConfig } from '../../src/config.ts';
import { settled } from './people.ts';

const pod = await startPod({
  ALLOWED_ORIGINS:
    'https://app.example.com, https://*.example.org,http://localhost:5173,https://*.ports.example:8443,https://default.example:443,capacitor://localhost',
  CORS_ALLOWED_ORIGINS: 'https://other.example',
});
const another = await startPod({ CORS_ALLOWED_ORIGINS: 'https://app.example.com' });
const anywhere = await startPod();
const star = await startPod({ ALLOWED_ORIGINS: 'https://app.example.com,*' });
afterAll(() => Promise.all([pod.stop(), another.stop(), anywhere.stop(), star.stop()]));

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
    'null',
    ',',
  ])('if it is %s, under both names', (given) => {
    for (const name of ['ALLOWED_ORIGINS', 'CORS_ALLOWED_ORIGINS']) {
      expect(() => loadConfig({ [name]: given })).toThrow(new RegExp(`^${name}: .*allowed: `));
    }
  });
});
