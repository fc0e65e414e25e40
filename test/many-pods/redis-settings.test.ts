import { expect, onTestFinished, test } from 'vitest';
import { PodProcess } from '../support/stack/pods.ts';

const PORTS = { PORT: '0', OPS_PORT: '0' };

/** Starts with faulty settings: what it wrote, with the exit code, which must be 1. */
async function refusal(env: Record<string, string>): Promise<string[]> {
  const pod = new PodProcess('faulty', PORTS, env);
  onTestFinished(() => pod.discard());
  pod.launch();
  expect([await pod.becomesReady(), pod.state]).toEqual([false, 'ended']);
  expect(await pod.stop()).toEqual({ code: 1, signal: null });
  expect(pod.output()).not.toMatch(/hidden/);
  return pod.output().trim().split('\n');
}

/** The lines about a setting: those that name it before any other. */
function about(name: string, lines: readonly string[]): string[] {
  return lines.filter((line) => /[A-Z]+(?:_[A-Z]+)+/.exec(line)?.[0] === name);
}

/** Each column of wrong values is given to one process at once. */
const WRONG: Record<string, string[]> = {
  REDIS_URL: [
    'http://user:hidden@redis:6379',
    'redis://:hidden@redis:99999',
    'redis://:hidden@redis:6379/main',
    'redis://:hidden@:6379',
  ],
  REDIS_ADDR: ['redis:', 'red is:6379', 'redis:0', 'hidden@redis:6379'],
  REDIS_DB: ['main', '-1', '1.5', ' '],
  // A brace is what Cluster looks for in a key.
  REDIS_PREFIX: ['a b', '{a}', 'ü', 'x'.repeat(65)],
  REDIS_SENTINELS: ['one:99999', 'one two', 'one:26379;two:26379', 'redis://one:26379'],
  PUBLISH_BUFFER_MESSAGES: ['many', '-1', '1e3', '0.5'],
  PRESENCE_TTL_SECONDS: ['1m', '-1', '60.5', '0'],
  POD_LEASE_SECONDS: ['10s', '0', '1.5', '-10'],
  BROADCAST_MQ_TYPE: ['rabbit', 'Redis', 'redis,memory', 'none'],
};

test.each([0, 1, 2, 3])(
  'Wrong settings of Redis end the process with 1 and one clear line each (%d)',
  async (column) => {
    const env = Object.fromEntries(
      Object.entries(WRONG).map(([name, values]) => [name, values[column] ?? '']),
    );
    const lines = await refusal({ ...env, REDIS_PASSWORD: 'hidden', REDIS_SENTINEL_PASSWORD: 'hidden' });
    for (const name of Object.keys(WRONG)) {
      const [line = '', ...more] = about(name, lines);
      expect([name, line, more]).toEqual([name, expect.stringMatching(/[a-z]{3}/), []]);
      if (!/_(URL|ADDR)$/.test(name)) expect(line).toContain(env[name]);
    }
  },
);

test.each<[string, string, Record<string, string>]>([
  ['PRESENCE_TTL_SECONDS', 'not above POD_LEASE_SECONDS', { PRESENCE_TTL_SECONDS: '10' }],
  ['BROADCAST_MQ_TYPE', 'redis without a Redis', { BROADCAST_MQ_TYPE: 'redis', REDIS_URL: '' }],
  ['REDIS_SENTINELS', 'given beside REDIS_URL', { REDIS_SENTINELS: 'one:26379' }],
])('%s %s ends the process with 1 and one clear line', async (name, _, env) => {
  const lines = await refusal({ REDIS_URL: 'redis://:hidden@redis:6379', REDIS_PASSWORD: 'hidden', ...env });
  const [line = '', ...more] = about(name, lines);
  expect([line, more]).toEqual([expect.stringMatching(/[a-z]{3}/), []]);
});
