import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startPod } from '../support/pod.ts';
import { SECRET } from '../support/tokens.ts';

const directory = mkdtempSync(join(tmpdir(), 'crosspod-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, `${Math.random()}.json`);
  writeFileSync(path, text);
  return path;
}

/** Starts with faulty settings, which must end the process with 1: what it wrote. */
async function faults(env: Record<string, string>): Promise<string> {
  const outcome = await startPod(env).catch((error: unknown) => String(error));
  if (typeof outcome === 'string') {
    const [, code, output] = /the pod ended with (\w+) before it was ready:\n([^]*)$/.exec(outcome) ?? [];
    expect([code, outcome]).toEqual(['1', expect.any(String)]);
    return output ?? '';
  }
  await outcome.kill();
  throw new Error('the pod started');
}

/** What is wrong with the settings, without a process that says so; nothing where they are right. */
function faultOf(env: Record<string, string>): string {
  try {
    loadConfig(env);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The one line of the output that names the setting and says what is allowed. */
function lineOf(name: string, output: string): string {
  const lines = output.split('\n').filter((line) => new RegExp(`\\b${name}: `).test(line));
  expect([name, lines.length, output]).toEqual([name, 1, expect.any(String)]);
  return lines[0] ?? '';
}

describe('A pod ends with 1', () => {
  test('if AUTH_ENABLED is true and there is no key source', async () => {
    const output = await faults({ AUTH_ENABLED: 'true' });
    expect(lineOf('AUTH_ENABLED', output)).toMatch(/JWT_SECRET.*JWKS_URL.*JWKS_FILE/);
    expect(output).toContain('"true"');
  });

  test('if guests may come but there is only a key set, with which nothing can be signed', async () => {
    const byFile = { GUEST_LOGIN: 'true', JWKS_FILE: file('{"keys":[]}') };
    expect(lineOf('GUEST_LOGIN', await faults(byFile))).toContain('JWT_SECRET');
    const byUrl = { GUEST_LOGIN: 'true', JWKS_URL: 'https://keys.example/keys' };
    expect(lineOf('GUEST_LOGIN', faultOf(byUrl))).toContain('JWT_SECRET');
    expect(faultOf({ ...byUrl, JWT_SECRET: SECRET })).toBe('');
  });

  test('with every fault at once', async () => {
    const output = await faults({
      AUTH_ENABLED: 'perhaps',
      GUEST_LOGIN: 'no',
      GUEST_PERMISSIONS: 'everything',
      MAX_CONNECTIONS_PER_USER: '-1',
      HANDSHAKES_PER_SECOND: '0',
      MESSAGES_PER_SECOND: 'many',
      ALLOWED_ORIGINS: 'app.example.com',
      CORS_ALLOWED_ORIGINS: 'https://app.example.com/',
      TRUST_PROXY: 'yes',
      LOG_LEVEL: 'loud',
    });
    for (const [name, given] of [
      ['AUTH_ENABLED', 'perhaps'],
      ['GUEST_LOGIN', 'no'],
      ['GUEST_PERMISSIONS', 'everything'],
      ['MAX_CONNECTIONS_PER_USER', '-1'],
      ['HANDSHAKES_PER_SECOND', '0'],
      ['MESSAGES_PER_SECOND', 'many'],
      ['ALLOWED_ORIGINS', 'app.example.com'],
      ['CORS_ALLOWED_ORIGINS', 'https://app.example.com/'],
      ['TRUST_PROXY', 'yes'],
      ['LOG_LEVEL', 'loud'],
    ] as const) {
      expect(lineOf(name, output)).toContain(JSON.stringify(given));
      expect(lineOf(name, output)).toMatch(/allowed: \S/);
    }
  });

  test.each([
    ['an unknown action', 'join:*,fly:*'],
    ['a pattern that can be no room', 'join:a b'],
    ['an unknown placeholder', 'join:{room}'],
  ])('if GUEST_PERMISSIONS has %s, because every guest would be refused', (_, given) => {
    lineOf(
      'GUEST_PERMISSIONS',
      faultOf({ JWT_SECRET: SECRET, GUEST_LOGIN: 'true', GUEST_PERMISSIONS: given }),
    );
  });

  test.each([
    ['is no JSON', file('keys')],
    ['holds no key set', file('{"key":[]}')],
    ['holds a key set whose keys are none', file('{"keys":[7]}')],
  ])('if JWKS_FILE %s', async (_, path) => {
    lineOf('JWKS_FILE', await faults({ JWKS_FILE: path }));
  });

  test('with a JWKS_FILE that cannot be used among all other faults', async () => {
    const output = await faults({ JWKS_FILE: join(directory, 'nowhere.json'), LOG_LEVEL: 'loud' });
    lineOf('LOG_LEVEL', output);
    lineOf('JWKS_FILE', output);
  });
});

describe('No secret is printed', () => {
  test.each([
    'ftp://keys:hunter2@keys.example/keys',
    'keys:hunter2@keys.example/keys',
    'hunter2',
    'http://keys:hunter2@/',
    'https://keys:hunter2@keys.example:99999/',
  ])('where a URL is %s', (given) => {
    for (const name of ['JWKS_URL', 'WEBHOOK_URL']) {
      const fault = faultOf({ [name]: given, WEBHOOK_SECRET: 'hunter2' });
      expect(lineOf(name, fault)).toMatch(/allowed: .*http/);
      expect(fault).not.toContain('hunter2');
    }
  });

  test('where other settings are wrong, or wrong together', async () => {
    const output = await faults({
      JWT_SECRET: 'secret-hunter2',
      API_KEYS: 'key-hunter2,other-hunter2',
      WEBHOOK_SECRET: 'hook-hunter2',
      WEBHOOK_URL: 'https://hunter2@hooks.example',
      JWKS_URL: 'https://hunter2@keys.example',
      LOG_LEVEL: 'loud',
      GUEST_LOGIN: 'maybe',
    });
    const wrongUrl = await faults({ JWKS_URL: 'ftp://keys:hunter2@keys.example/keys' });
    lineOf('JWKS_URL', wrongUrl);
    expect(wrongUrl).not.toContain('hunter2');
    lineOf('LOG_LEVEL', output);
    lineOf('GUEST_LOGIN', output);
    expect(output).not.toContain('hunter2');
    expect(faultOf({ WEBHOOK_URL: 'https://hunter2@hooks.example' })).not.toContain('hunter2');
    lineOf('API_KEYS', faultOf({ API_KEYS: ', ,' }));
  });
});
