import { ConfigError, loadConfig } from '../../../src/config.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createCertificate } from '../../support/certificate.ts';
import { join } from 'node:path';
import { tmpdir } from 'node:os';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file'), content);
  return join(folder, 'file');
}

const CREDENTIALS = [
  '-----BEGIN NATS USER JWT-----\nhidden\n------END NATS USER JWT------',
  '-----BEGIN USER NKEY SEED-----\nhidden\n------END USER NKEY SEED------',
].join('\n\n');

describe('NATS_URL', () => {
  test.each([
    ['nats://one', { servers: ['one:4222'], tls: undefined, user: undefined, password: undefined }],
    ['nats://one:1, nats://two:2/', { servers: ['one:1', 'two:2'] }],
    ['nats://[::1]:5', { servers: ['[::1]:5'] }],
    ['tls://me:p%40ss@one', { servers: ['one:4222'], tls: {}, user: 'me', password: 'p@ss' }],
  ])('is read: %s', (url, expected) => {
    const config = loadConfig({ NATS_URL: url });
    expect(config.nats).toMatchObject(expected);
    expect(config.redis).toBeUndefined();
  });

  test.each([
    'one:4222',
    'http://me:hidden@one',
    'nats://me:hidden@one:99999',
    'nats://hidden@one',
    'nats://me:hidden@one/path',
    'nats://me:hidden@one,nats://two',
    'nats://one,tls://hidden',
    ',',
  ])('is refused, and not shown: %s', (url) => {
    const problems = problemsOf({ NATS_URL: url });
    expect(problems).toEqual([
      expect.stringMatching(/^NATS_URL: the value given is not valid; allowed: nats:/),
    ]);
    expect(problems.join()).not.toContain('hidden');
  });
});

test.each([
  [{}, [undefined, undefined]],
  [{ NATS_URL: 'nats://one' }, [undefined, 'object']],
  [{ REDIS_URL: 'one' }, ['object', undefined]],
  [{ NATS_URL: 'nats://one', REDIS_URL: 'one', BROADCAST_MQ_TYPE: 'nats' }, [undefined, 'object']],
  [{ NATS_URL: 'nats://one', REDIS_SENTINELS: 'one', BROADCAST_MQ_TYPE: 'redis' }, ['object', undefined]],
  [{ NATS_URL: 'nats://one', BROADCAST_MQ_TYPE: 'memory' }, [undefined, undefined]],
])('what carries messages by %j', (env, expected) => {
  const { redis, nats } = loadConfig(env);
  expect([redis, nats].map((one) => (one === undefined ? undefined : typeof one))).toEqual(expected);
});

test.each<[string, Record<string, string>]>([
  ['BROADCAST_MQ_TYPE', { NATS_URL: 'nats://one', REDIS_URL: 'one' }],
  ['BROADCAST_MQ_TYPE', { NATS_URL: 'nats://one', REDIS_SENTINELS: 'one' }],
  ['BROADCAST_MQ_TYPE', { BROADCAST_MQ_TYPE: 'nats' }],
  ['BROADCAST_MQ_TYPE', { BROADCAST_MQ_TYPE: 'nats', REDIS_URL: 'one' }],
  ['BROADCAST_MQ_TYPE', { BROADCAST_MQ_TYPE: 'NATS', NATS_URL: 'nats://one' }],
  ['NATS_REPLICAS', { NATS_REPLICAS: '2' }],
  ['NATS_PREFIX', { NATS_PREFIX: 'a.b' }],
  ['NATS_PREFIX', { NATS_PREFIX: 'x'.repeat(65) }],
  ['NATS_CREDENTIALS', { NATS_CREDENTIALS: '/nowhere' }],
])('one clear line about %s where it is wrong: %j', (name, env) => {
  expect(problemsOf(env)).toEqual([expect.stringMatching(new RegExp(`^${name}: .+; allowed: .+`))]);
});

test('credentials and certificates are read from their files, and rejected if they cannot be used', () => {
  const { ca } = createCertificate();
  const credentials = file(CREDENTIALS);
  const env = { NATS_URL: 'tls://one', NATS_CREDENTIALS: credentials, NATS_CA_FILE: ca };
  expect(loadConfig(env).nats).toEqual({
    servers: ['one:4222'],
    user: undefined,
    password: undefined,
    credentials: CREDENTIALS,
    tls: { ca: readFileSync(ca, 'utf8') },
  });
  expect(problemsOf({ ...env, NATS_URL: 'nats://one' })).toEqual([expect.stringMatching(/^NATS_CA_FILE: /)]);
  expect(problemsOf({ ...env, NATS_URL: 'tls://a:b@one' })).toEqual([
    expect.stringMatching(/^NATS_CREDENTIALS: /),
  ]);
  expect(problemsOf({ ...env, NATS_CREDENTIALS: file('hidden') })).toEqual([
    expect.stringMatching(/^NATS_CREDENTIALS: /),
  ]);
});
