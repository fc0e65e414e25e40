import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Stack, startStack } from '../support/stack/stack.ts';
import { type Fault, FaultyServer } from './faulty-server.ts';
import { countOf, failuresOf, findK6, HOW_TO_GET_K6, type Run, runScript, SCRIPTS } from './k6.ts';

const K6 = findK6();

/** The exit codes of k6: a threshold was crossed, a script threw. */
const [CROSSED, THREW] = [99, 107];

function run(script: string, env: Readonly<Record<string, string>>): Promise<Run> {
  if (K6 === undefined) throw new Error(HOW_TO_GET_K6);
  return runScript(K6, script, env);
}

test('the scripts are type-checked', { timeout: 120_000 }, async () => {
  const tsc = promisify(execFile)(process.execPath, ['node_modules/typescript/bin/tsc', '-p', SCRIPTS]);
  await expect(tsc).resolves.toMatchObject({ stdout: '' });
});

test.runIf(K6 === undefined)('without k6 nothing is run, and that is said', () => {
  console.warn(`\n${'='.repeat(80)}\n${HOW_TO_GET_K6}\n${'='.repeat(80)}\n`);
});

describe.runIf(K6 !== undefined)('with k6', () => {
  test('is version 2', async () => {
    const { stdout } = await promisify(execFile)(K6 ?? '', ['version']);
    expect(stdout).toMatch(/^k6(\.exe)? v([2-9]|\d\d)\./);
  });

  test('settings that are wrong are all told, and no secret with them', async () => {
    const { code, output } = await run('fanout.ts', { VUS: 'many', BASE_URL: 'here', JWT_SECRET: 'hush' });
    expect(code).toBe(THREW);
    expect(output).toContain('VUS is “many”, but must be a whole number from 1 to 100000');
    expect(output).toContain('BASE_URL is “here”, but must be an http or https URL');
    expect(output).not.toContain('hush');
  });

  describe('against two pods, Redis and HAProxy', () => {
    let stack: Stack;
    let env: Record<string, string>;

    beforeAll(async () => {
      stack = await startStack({ pods: 2, env: { DRAIN_WINDOW_SECONDS: '2' } });
      env = { BASE_URL: stack.haproxy?.url ?? '', STICKY_COOKIE: 'CROSSPOD' };
    });

    afterAll(() => stack.stop());

    test('smoke.ts passes', { timeout: 60_000 }, async () => {
      const result = await run('smoke.ts', { ...env, DURATION: '3s' });
      expect(failuresOf(result)).toEqual([]);
      expect(result.code).toBe(0);
      expect(result.output).toContain('smoke: passed');
    });

    test('fanout.ts reaches both pods and loses nothing', { timeout: 90_000 }, async () => {
      const size = { VUS: '12', ROOMS: '3', RATE: '2', JOIN: '3s', DURATION: '4s', LATENCY_MS: '5000' };
      const result = await run('fanout.ts', { ...env, ...size });
      expect(failuresOf(result)).toEqual([]);
      expect(result.code).toBe(0);
      expect([countOf(result, 'published'), countOf(result, 'received')]).toEqual([12 * 8, 12 * 8 * 4]);
      expect(countOf(result, 'on_pod{pod:0}') + countOf(result, 'on_pod{pod:1}')).toBe(12);
      expect(countOf(result, 'received{way:other}')).toBeGreaterThan(0);
    });

    test('fanout.ts ends at once where there are fewer pods than it wants', { timeout: 60_000 }, async () => {
      const { code, output } = await run('fanout.ts', { ...env, MIN_PODS: '3' });
      expect(code).not.toBe(0);
      expect(output).toContain('was answered by 2 pods, and MIN_PODS is 3');
    });

    test('storm.ts drains a pod, and nothing is lost', { timeout: 120_000 }, async () => {
      const pod = stack.pods[0];
      const size = { VUS: '10', ROOMS: '2', RATE: '2', JOIN: '3s', DURATION: '9s' };
      const result = await run('storm.ts', { ...env, ...size, DRAIN_URL: pod?.opsUrl ?? '' });
      expect(failuresOf(result)).toEqual([]);
      expect(result.code).toBe(0);
      expect(countOf(result, 'reconnects')).toBeGreaterThan(0);
    });
  });

  describe('against a server that makes a mistake', () => {
    async function against(fault: Fault): Promise<Run> {
      const server = new FaultyServer(fault);
      onTestFinished(() => server.stop());
      const size = { VUS: '4', ROOMS: '1', RATE: '2', JOIN: '2s', DURATION: '2s', SETTLE: '2s' };
      return run('fanout.ts', { ...size, BASE_URL: await server.start(), MIN_PODS: '1', LATENCY_MS: '5000' });
    }

    test('none: it passes', { timeout: 60_000 }, async () => {
      const result = await against('none');
      expect(failuresOf(result)).toEqual([]);
      expect(result.code).toBe(0);
    });

    test(
      'that a proxy stands in for at first: who is told 404 by that comes again',
      { timeout: 60_000 },
      async () => {
        const result = await against('comes late');
        // Who comes only after the others have begun misses what they said: that is right.
        expect(result.output).not.toContain('refused with 404');
        expect(countOf(result, 'received')).toBeGreaterThan(0);
      },
    );

    test.each([
      ['loses', 'lost'],
      ['repeats', 'repeated'],
      ['disorders', 'disordered'],
    ] as const)('that %s one message: “%s” says so', { timeout: 60_000 }, async (fault, metric) => {
      const result = await against(fault);
      expect(failuresOf(result)).toEqual([`${metric} count==0`]);
      expect(countOf(result, metric)).toBe(1);
      expect(result.code).toBe(CROSSED);
    });
  });
});
