import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../support/stack/stack.ts';
import { SECRET } from '../support/tokens.ts';
import { countOf, failuresOf, findK6, type Run, runScript } from './k6.ts';

// What it means that k6 is missing is said by k6.test.ts.
const K6 = findK6();

const PODS = 2;
const MAX_CONNECTIONS = 20;

describe.runIf(K6 !== undefined)('k6, against two pods with tokens and few places', () => {
  let stack: Stack;
  let env: Record<string, string>;

  beforeAll(async () => {
    const places = { MAX_CONNECTIONS: String(MAX_CONNECTIONS), REBALANCE_PERCENT: '0' };
    stack = await startStack({ pods: PODS, env: { ...places, JWT_SECRET: SECRET } });
    const opsUrls = stack.pods.map(({ opsUrl }) => opsUrl).join();
    const BASE_URL = stack.haproxy?.url ?? '';
    env = { BASE_URL, STICKY_COOKIE: 'CROSSPOD', JWT_SECRET: SECRET, OPS_URLS: opsUrls };
  });

  afterAll(() => stack.stop());

  const run = (script: string, more: Readonly<Record<string, string>>): Promise<Run> =>
    runScript(K6 ?? '', script, { ...env, ...more });

  test(
    'connections.ts fills both pods, and the others are told to come back',
    { timeout: 60_000 },
    async () => {
      const cap = PODS * MAX_CONNECTIONS;
      const size = {
        CAP: String(cap),
        CONNECTIONS: String(cap + 10),
        VUS: '4',
        ROOMS: '1',
        CONNECT_RATE: '50',
      };
      // So few say nothing of memory.
      const result = await run('connections.ts', { ...size, DURATION: '8s', CONNECTION_BYTES: '999999999' });
      expect(failuresOf(result)).toEqual([]);
      expect(result.code).toBe(0);
      expect(countOf(result, 'opened')).toBe(cap);
      expect(countOf(result, 'ws_sessions{status:503}')).toBeGreaterThan(0);
      expect(result.summary?.metrics['bytes_per_connection']?.values).toHaveProperty('value');
    },
  );

  test('connections.ts fails where more are refused than it was told', { timeout: 60_000 }, async () => {
    const size = {
      CONNECTIONS: String(PODS * MAX_CONNECTIONS + 5),
      VUS: '3',
      ROOMS: '1',
      CONNECT_RATE: '50',
    };
    const result = await run('connections.ts', { ...size, DURATION: '2s', OPS_URLS: '' });
    expect(failuresOf(result)).toEqual(['opened count==45']);
  });

  test('presence.ts: everybody knows the last word of everybody', { timeout: 60_000 }, async () => {
    const size = {
      VUS: '8',
      ROOMS: '2',
      RATE: '1',
      JOIN: '2s',
      DURATION: '3s',
      SETTLE: '4s',
      LATENCY_MS: '5000',
    };
    const result = await run('presence.ts', size);
    expect(failuresOf(result)).toEqual([]);
    expect(result.summary?.metrics['presence_ms']?.values['max']).toBeGreaterThan(0);
  });
});
