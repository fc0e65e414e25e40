import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { madeFiles } from '../../scripts/made-files.ts';
import { SETTINGS, type Setting } from '../../src/settings.ts';
import { lint, render, settingsOf } from './helm.ts';

const ROOT = join(import.meta.dirname, '../..');
const KINDS = Object.entries<Setting<unknown>>(SETTINGS).map(([name, { kind, fallback }]) => ({
  name,
  fallback,
  pattern: kind.pattern,
  bounds: kind.bounds,
  allowed: kind.allowed,
  isTaken: (value: string) => kind.read(value) !== undefined,
}));

/** What people write, right for some setting and wrong for others. */
const SAMPLES = (
  '0|1|65535|65536|007|1e3|10k|-1|1.5| 1|999999999999999|0x10|true|TRUE|False|yes|on|*|self|null|verbose|info|' +
  'debug|json|/ws|/ws,/live| /ws , /a/b |/ws/|ws|/|https://a.example|http://[::1]:8080|https://*.a.example, http://b:1|' +
  'https://a.example,,|https://a.example/path|a.example|HTTPS://a.example| https://a.example|ftp://a.example|' +
  `https://u:p@a.example/x?y#z|10.0.0.0/8|10.0.0.0/8, fd00::/8|2|100|chat:|a b|${'x'.repeat(65)}|capacitor://localhost`
).split('|');

test.each(Object.entries(madeFiles()))(
  '%s is what `npm run docs` makes of the settings and of values.yaml',
  (path, content) => {
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content);
  },
);

test.each(KINDS)('the chart refuses no $name that a pod takes', ({ isTaken, pattern, bounds, fallback }) => {
  if (pattern === undefined) return;
  const samples = fallback === undefined ? SAMPLES : [...SAMPLES, fallback];
  const matches = new RegExp(pattern);
  for (const sample of samples.filter(isTaken)) {
    expect(sample).toMatch(matches);
    if (bounds === undefined) continue;
    expect(Number(sample)).toBeGreaterThanOrEqual(bounds[0]);
    expect(Number(sample)).toBeLessThanOrEqual(bounds[1]);
  }
});

test('what the chart can say of numbers, names and switches is all that a pod says', () => {
  const exact = KINDS.filter(({ bounds, pattern, allowed }) => bounds ?? (pattern && allowed.length < 90));
  expect(exact.length).toBeGreaterThan(30);
  for (const { name, isTaken, pattern = '', bounds = [-Infinity, Infinity] } of exact)
    for (const sample of SAMPLES) {
      if (/URL|ORIGINS/.test(name)) continue;
      const taken = new RegExp(pattern).test(sample);
      const isWithin =
        bounds[0] === -Infinity || (Number(sample) >= bounds[0] && Number(sample) <= bounds[1]);
      expect([name, sample, taken && isWithin]).toEqual([name, sample, isTaken(sample)]);
    }
});

test('Helm reads the patterns as the gateway does', async () => {
  const right = {
    ALLOWED_ORIGINS: 'https://*.a.example, HTTP://b:1,self,capacitor://localhost',
    WS_PATHS: ' /ws , /a/b ',
    TRUST_PROXY: '10.0.0.0/8, fd00::/8',
    JWT_ALGORITHMS: ' HS384 , HS512,',
    REDIS_PREFIX: 'chat:',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'pretty',
    GUEST_LOGIN: 'FALSE',
    WEBHOOK_URL: 'HTTPS://a.example/?x',
    BACKEND_URL: 'https://a.example/',
    BACKEND_EVENTS: ' join , call,',
    BACKEND_HEADERS: 'Cookie, x-a',
    HISTORY_SIZE: '0010',
    JWT_ISSUER: 'of $(PORT) and $$ and $',
  };
  const values = { settings: right, secrets: { JWT_SECRET: 's', WEBHOOK_SECRET: 's', BACKEND_SECRET: 's' } };
  expect(settingsOf(await render(values))).toMatchObject(right);
  expect(await lint(values)).toMatchObject({ code: 0 });
});

test('no setting is read as another variable by Kubernetes', async () => {
  const objects = await render({ settings: { JWT_ISSUER: 'of $(PORT) and $$' } });
  expect(JSON.stringify(objects)).toContain('"value":"of $$(PORT) and $$$$"');
});
