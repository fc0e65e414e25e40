import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Ledger } from '../../loadtest/k6/ledger.ts';
import { valueOf } from '../../loadtest/k6/metrics-text.ts';
import { readSettings, SETTING_NAMES } from '../../loadtest/k6/settings.ts';
import { slopePerHour } from '../../loadtest/k6/slope.ts';
import { SCRIPTS } from './k6.ts';

describe('settings', () => {
  test('those of the environment win over those of the script, and an empty one is none', () => {
    const settings = readSettings({ VUS: '7', RATE: '0.5', DURATION: '' }, { VUS: '9', DURATION: '2m' });
    expect(settings).toMatchObject({
      vus: 7,
      rate: 0.5,
      duration: 120,
      rooms: 5,
      token: undefined,
      opsUrls: [],
    });
  });

  test('an address loses the slash at its end; of several each is read', () => {
    const { baseUrl, opsUrls } = readSettings({
      BASE_URL: 'https://chat.example.com/',
      OPS_URLS: 'http://a:9090, http://b:9090/',
    });
    expect([baseUrl, ...opsUrls]).toEqual(['https://chat.example.com', 'http://a:9090', 'http://b:9090']);
  });

  test.each([
    ['BASE_URL', 'ws://a'],
    ['BASE_URL', 'http://a?b'],
    ['WS_PATH', 'ws'],
    ['RUN', 'a b'],
    ['VUS', '0'],
    ['VUS', '1.5'],
    ['RATE', '0'],
    ['RATE', '-1'],
    ['DURATION', '5 minutes'],
    ['DURATION', '0s'],
    ['OPS_URLS', 'http://a:9090,b'],
    ['CAP', 'all'],
  ])('%s may not be “%s”', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(`- ${name} is “${value}”, but must be `);
  });

  test.each([
    [{ TOKEN: 'a', JWT_SECRET: 'b' }, 'TOKEN and JWT_SECRET are both set'],
    [{ VUS: '3', ROOMS: '4' }, 'ROOMS is 4, but must not be more than VUS, which is 3'],
    [{ VUS: '3', ROOMS: '1', MIN_PODS: '4' }, 'MIN_PODS is 4'],
    [{ CAP: '10', CONNECTIONS: '10' }, 'CONNECTIONS is 10, but must be more than CAP'],
  ])('%o contradict each other', (environment, message) => {
    expect(() => readSettings(environment)).toThrow(message);
  });

  test('each stands in the README', () => {
    const readme = readFileSync(join(SCRIPTS, 'README.md'), 'utf8');
    for (const name of SETTING_NAMES) expect(readme).toContain(`| \`${name}\` |`);
  });
});

describe('the ledger', () => {
  function account(...received: readonly (readonly [by: number, n: number])[]) {
    const ledger = new Ledger([1, 2]);
    for (const [by, n] of received) ledger.receive(by, n);
    return ledger.account(2);
  }

  const fine = { received: 4, lost: 0, repeated: 0, disordered: 0 };
  const [a1, a2, b1, b2] = [[1, 1] as const, [1, 2] as const, [2, 1] as const, [2, 2] as const];

  test('the order of each publisher counts, not that between them', () => {
    expect(account(a1, b1, b2, a2)).toEqual(fine);
  });

  test('lost: one in the middle, the last one, all of one publisher', () => {
    expect(account(a2, b1, b2)).toEqual({ ...fine, received: 3, lost: 1 });
    expect(account(a1, b1, b2)).toEqual({ ...fine, received: 3, lost: 1 });
    expect(account(a1, a2)).toEqual({ ...fine, received: 2, lost: 2 });
  });

  test('repeated, disordered, both', () => {
    expect(account(a1, a1, a2, b1, b2)).toEqual({ ...fine, repeated: 1 });
    expect(account(a2, a1, b1, b2)).toEqual({ ...fine, disordered: 1 });
    expect(account(a2, a1, a1, b1, b2)).toEqual({ ...fine, disordered: 1, repeated: 1 });
  });

  test('strangers do not count', () => {
    expect(account(a1, a2, b1, b2, [3, 1])).toEqual(fine);
  });
});

describe('the slope', () => {
  const HOUR = 3_600_000;
  const every = (count: number, value: (n: number) => number) =>
    Array.from({ length: count }, (_, n) => ({ at: (n * HOUR) / count, value: value(n) }));

  test('is what the values rise in an hour, without the first fifth', () => {
    expect(slopePerHour(every(100, (n) => (n < 20 ? 1_000 : n)))).toBeCloseTo(100);
    expect(slopePerHour(every(100, () => 5))).toBeCloseTo(0);
  });

  test('is not there for too few', () => {
    expect(slopePerHour(every(3, (n) => n))).toBeUndefined();
    expect(slopePerHour([])).toBeUndefined();
  });
});

test('a metric is read from what a pod tells Prometheus', () => {
  const text = '# HELP a_b what\na_b_total 3\na_b{x="y"} 4\na_b 1.5e+3\n';
  expect([valueOf(text, 'a_b'), valueOf(text, 'c')]).toEqual([1_500, undefined]);
});

test('all scripts are in one folder, and import nothing from outside: a ConfigMap holds no folders', () => {
  const files = globSync('**/*.ts', { cwd: SCRIPTS });
  for (const file of files) {
    expect(file).not.toContain('/');
    const source = readFileSync(join(SCRIPTS, file), 'utf8');
    const imported = [...source.matchAll(/ from '([^']+)'/g)].map(([, from = '']) => from);
    for (const from of imported) expect(from).toMatch(/^(k6(\/\w+)?|\.\/[\w-]+\.ts)$/);
  }
});
