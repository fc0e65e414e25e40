import { ConfigError, loadConfig } from '../../src/config.ts';
import { describe, expect, test } from 'vitest';
import { SETTINGS, type Setting } from '../../src/settings.ts';

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  test('is complete without any setting', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ host: '0.0.0.0', port: 8080 });
    expect(config.values.WS_PATHS).toEqual(['/ws', '/api/chat-api/ws']);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.values)).toBe(true);
  });

  test('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ PORT: '', SERVER_ADDR: '' }).port).toBe(8080);
  });

  test.each([
    [':9000', '0.0.0.0', 9000],
    ['127.0.0.1:9000', '127.0.0.1', 9000],
    ['[::1]:9000', '::1', 9000],
  ])('lets SERVER_ADDR=%s win over PORT and HOST', (address, host, port) => {
    expect(loadConfig({ SERVER_ADDR: address, PORT: '1' })).toMatchObject({ host, port });
  });

  test('reports every problem at once, a line each: name, what was given, what is allowed', () => {
    const problems = problemsOf({
      PORT: '70000',
      SERVER_ADDR: 'nowhere',
      LOG_LEVEL: 'loud',
      BROADCAST_MQ_TYPE: 'kafka',
      HISTORY_SIZE: '-1',
      HEARTBEAT_SECONDS: '1.5',
      WS_PATHS: '/ws,/',
    });
    expect(problems).toHaveLength(7);
    expect(problems).toContain('PORT: "70000" is not valid; allowed: a port, 0 to 65535');
    expect(problems.join('\n')).toMatch(/BROADCAST_MQ_TYPE: "kafka" is not valid; allowed: memory/);
    expect(problems.every((line) => !line.includes('\n'))).toBe(true);
  });

  test('refuses a heartbeat timeout that no heartbeat could meet', () => {
    expect(problemsOf({ HEARTBEAT_SECONDS: '30', HEARTBEAT_TIMEOUT_SECONDS: '30' })).toEqual([
      'HEARTBEAT_TIMEOUT_SECONDS: "30" is not valid; allowed: more than HEARTBEAT_SECONDS (30)',
    ]);
  });

  test('refuses one port for two purposes', () => {
    expect(problemsOf({ PORT: '9090' })).toHaveLength(1);
  });

  test.each(Object.entries<Setting<unknown>>(SETTINGS))(
    '%s has a default that it would accept',
    (_, { kind, fallback }) => {
      expect(fallback === undefined || kind.read(fallback) !== undefined).toBe(true);
    },
  );
});
