import { ConfigError, loadConfig } from '../../src/config.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { tmpdir } from 'node:os';
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

  test.each([
    ['redis://cache', { server: { host: 'cache', port: 6379 }, tls: undefined, db: 0 }],
    ['cache:7000', { server: { host: 'cache', port: 7000 }, tls: undefined }],
    ['[::1]:7000', { server: { host: '::1', port: 7000 } }],
    ['redis://[::1]:7000', { server: { host: '::1', port: 7000 } }],
    ['rediss://cache/3', { tls: {}, db: 3, username: undefined, password: undefined }],
    ['redis://me:p%40ss@cache:7000/2', { username: 'me', password: 'p@ss', db: 2 }],
    ['redis://:p@cache', { username: undefined, password: 'p' }],
    [
      'redis://:a%40b%23c%3Fd%2Fe%25@cache',
      { server: { host: 'cache', port: 6379 }, password: 'a@b#c?d/e%' },
    ],
  ])('reads REDIS_URL=%s', (url, expected) => {
    expect(loadConfig({ REDIS_URL: url }).redis).toMatchObject(expected);
    expect(loadConfig({ REDIS_ADDR: url }).redis).toMatchObject(expected);
  });

  test('lets the single settings win over those of the URL', () => {
    const env = { REDIS_URL: 'redis://a:b@cache/1', REDIS_USERNAME: 'c', REDIS_PASSWORD: 'd', REDIS_DB: '0' };
    expect(loadConfig(env).redis).toMatchObject({ username: 'c', password: 'd', db: 0 });
  });

  test('reads Sentinels with and without a port', () => {
    const env = { REDIS_SENTINELS: 'one, two:26380', REDIS_SENTINEL_MASTER: 'main' };
    expect(loadConfig(env).redis).toMatchObject({
      sentinels: [
        { host: 'one', port: 26379 },
        { host: 'two', port: 26380 },
      ],
      master: 'main',
    });
  });

  test.each([
    [{ REDIS_SENTINELS: 'one', REDIS_TLS: 'true' }, {}],
    [{ REDIS_SENTINELS: 'one' }, undefined],
    [{ REDIS_URL: 'cache:1', REDIS_TLS: 'true' }, {}],
    [{ REDIS_URL: 'rediss://cache', REDIS_TLS: 'false' }, undefined],
  ])('tells by %j whether to speak TLS', (env, tls) => {
    expect(loadConfig(env).redis?.tls).toEqual(tls);
  });

  test('reads whom to trust from REDIS_CA_FILE, and refuses it without TLS or without a certificate in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'crosspod-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [certificate = ''] = rootCertificates;
    const [ca, key] = [join(folder, 'ca.pem'), join(folder, 'key.pem')];
    writeFileSync(ca, certificate);
    writeFileSync(key, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    const env = { REDIS_SENTINELS: 'one', REDIS_TLS: 'true', REDIS_CA_FILE: ca };
    expect(loadConfig(env).redis?.tls).toEqual({ ca: certificate });
    expect(problemsOf({ ...env, REDIS_TLS: 'false' })).toEqual([
      expect.stringMatching(/^REDIS_CA_FILE: .*REDIS_TLS/),
    ]);
    for (const file of [key, `${ca}.old`])
      expect(problemsOf({ ...env, REDIS_CA_FILE: file })).toEqual([
        expect.stringMatching(/^REDIS_CA_FILE: .*PEM/),
      ]);
  });

  test('reads a secret from the file that X_FILE names, without its last line break', () => {
    const folder = mkdtempSync(join(tmpdir(), 'crosspod-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = (content: string): string => {
      const path = join(folder, String(Math.random()));
      writeFileSync(path, content);
      return path;
    };
    const given = { JWT_SECRET: ' s\n\n', API_KEYS: 'a, b\r\n', REDIS_URL: 'redis://:p@cache:7000\n' };
    const env = Object.fromEntries(Object.entries(given).map(([name, text]) => [`${name}_FILE`, file(text)]));
    const config = loadConfig({ ...env, JWT_SECRET: '', WEBHOOK_SECRET_FILE: '' });
    expect(config.values).toMatchObject({ JWT_SECRET: ' s\n', API_KEYS: ['a', 'b'] });
    expect(config.values.WEBHOOK_SECRET).toBeUndefined();
    expect(config.redis).toMatchObject({ server: { host: 'cache', port: 7000 }, password: 'p' });
    expect(config.auth).toBe(true);

    const allowed = 'path of a readable file that is not empty';
    const [empty, missing] = [file('\n'), join(folder, 'none')];
    for (const path of [empty, missing, folder]) {
      expect(problemsOf({ JWT_SECRET_FILE: path })).toEqual([
        `JWT_SECRET_FILE: "${path}" is not valid; allowed: ${allowed}`,
      ]);
    }
    expect(problemsOf({ JWT_SECRET: 'x', JWT_SECRET_FILE: file('y') })).toEqual([
      'JWT_SECRET_FILE: given beside JWT_SECRET; allowed: only one of them',
    ]);
    // Somebody may write the secret itself where its file belongs.
    expect(problemsOf({ JWT_SECRET_FILE: 'hunter2' })).toEqual([
      `JWT_SECRET_FILE: the value given is not valid; allowed: ${allowed}`,
    ]);
    const [url = ''] = problemsOf({ REDIS_URL_FILE: file('http://hunter2') });
    expect(url).toMatch(/^REDIS_URL_FILE: the value given is not valid; allowed: redis:/);
  });

  test.each([
    'JWT_SECRET',
    'JWT_SECRET_PREVIOUS',
    'API_KEYS',
    'REDIS_URL',
    'REDIS_ADDR',
    'REDIS_PASSWORD',
    'REDIS_SENTINEL_PASSWORD',
    'NATS_URL',
    'JWKS_URL',
    'WEBHOOK_URL',
    'WEBHOOK_SECRET',
    'BACKEND_URL',
    'BACKEND_SECRET',
  ])('%s may be in a file', (name) => {
    const problems = problemsOf({ [`${name}_FILE`]: '/does/not/exist' });
    expect(problems).toContainEqual(expect.stringMatching(new RegExp(`^${name}_FILE: "/does/not/exist"`)));
  });

  test('stays on its own without Redis, and where it is told to', () => {
    expect(loadConfig({}).redis).toBeUndefined();
    expect(loadConfig({ REDIS_URL: 'cache:1', BROADCAST_MQ_TYPE: 'memory' }).redis).toBeUndefined();
  });

  test.each([
    'http://:hunter2@cache',
    'redis://:hunter2@',
    'redis://:hunter2@cache:0',
    'redis://:hunter2@cache/one',
    'hunter2 cache',
    'hunter2:99999',
    // Each of these is a URL of another host than was meant.
    'redis://:a@b#hunter2@cache',
    'redis://hunter2#@cache',
    'redis://me:6379#hunter2@cache',
    'redis://me:6379?hunter2@cache',
    'redis://:hunter2/@cache',
    'redis://:hunter2@cache#',
    'redis://:hunter2@cache?db=3',
    'redis://:hunter2@cache/1?db=3',
    'redis://:hun\tter2@cache',
    'redis://:hunter2@cache\n',
  ])('refuses REDIS_URL=%s without printing it', (url) => {
    const [problem = ''] = problemsOf({ REDIS_URL: url });
    expect(problem).toMatch(/^REDIS_URL: .*rediss:/);
    expect(problem).not.toContain('hunter2');
  });

  test.each([
    'nats://me:a@b#hunter2@cache',
    'nats://me:4222#hunter2@cache',
    'nats://me:4222?hunter2@cache',
    'nats://me:hunter2@cache?tls=true',
    'nats://me:hunter2@one,nats://me:hunter2@two#',
    'nats://me:hun,ter2@cache',
  ])('refuses NATS_URL=%s without printing it', (url) => {
    const [problem = ''] = problemsOf({ NATS_URL: url });
    expect(problem).toMatch(/^NATS_URL: the value given is not valid; .*%23/);
    expect(problem).not.toMatch(/hun|ter2/);
  });

  test.each([
    'https://me:443#hunter2@host/keys',
    'https://me:443?hunter2@host',
    'https://me:hunter2@host/\n/keys',
    'https://me:hunter2%zz@host/keys',
  ])('refuses JWKS_URL=%s without printing it', (url) => {
    const [problem = ''] = problemsOf({ JWKS_URL: url });
    expect(problem).toMatch(/^JWKS_URL: the value given is not valid/);
    expect(problem).not.toContain('hunter2');
  });

  test.each(['https://host/keys?mail=a@b', 'https://host?a=b', 'https://me:p%23%3F@host/keys'])(
    'takes JWKS_URL=%s',
    (url) => {
      expect(loadConfig({ JWKS_URL: url }).values.JWKS_URL).toBe(url);
    },
  );

  test.each(['conn:', '@guest-', 'g\u200b', 'g\n', 'g'.repeat(256)])(
    'refuses GUEST_PREFIX=%j, with which no guest could come in',
    (prefix) => {
      const problems = problemsOf({ GUEST_PREFIX: prefix });
      expect(problems).toEqual([expect.stringMatching(/^GUEST_PREFIX: .* may begin with/)]);
    },
  );

  test.each(['guest:', 'Gast ', 'system', 'conn'])('takes GUEST_PREFIX=%j', (prefix) => {
    expect(loadConfig({ GUEST_PREFIX: prefix }).values.GUEST_PREFIX).toBe(prefix);
  });

  test.each(['REDIS_SENTINELS', 'REDIS_CLUSTER', 'ALLOWED_ORIGINS', 'SERVER_ADDR', 'PORT', 'REDIS_PREFIX'])(
    'prints no login that somebody put into %s',
    (name) => {
      for (const value of ['redis://:hunter2@cache:1', 'hunter2@cache:1']) {
        const [problem = ''] = problemsOf({ [name]: value });
        expect(problem).toMatch(new RegExp(`^${name}: the value given is not valid`));
      }
    },
  );

  test.each([
    [{ BROADCAST_MQ_TYPE: 'redis' }, /^BROADCAST_MQ_TYPE: .*REDIS_URL/],
    [{ BROADCAST_MQ_TYPE: 'kafka' }, /^BROADCAST_MQ_TYPE: "kafka".*memory, redis/],
    [{ REDIS_URL: 'cache', REDIS_SENTINELS: 'one' }, /^REDIS_SENTINELS: .*one of them/],
    [{ REDIS_SENTINELS: 'one,two:x' }, /^REDIS_SENTINELS: /],
    [{ REDIS_PREFIX: 'a b' }, /^REDIS_PREFIX: "a b"/],
    [{ PRESENCE_TTL_SECONDS: '10' }, /^PRESENCE_TTL_SECONDS: "10".*POD_LEASE_SECONDS \(10\)/],
  ])('refuses %j', (env, expected) => {
    const problems = problemsOf(env);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(expected);
  });

  test('JWT_ALGORITHMS needs a key of the kind of each algorithm', () => {
    const folder = mkdtempSync(join(tmpdir(), 'crosspod-config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const JWKS_FILE = join(folder, 'keys.json');
    writeFileSync(JWKS_FILE, '{"keys":[{"kty":"RSA"},{"kty":"EC","crv":"P-384"},{"kty":"oct"}]}');
    const JWKS_URL = 'https://keys.example/';
    const bySecret = { JWT_SECRET: 's', JWT_ALGORITHMS: 'HS384, HS512,HS256' };
    for (const right of [
      bySecret,
      { ...bySecret, AUTH_ENABLED: 'false' },
      { JWT_SECRET_PREVIOUS: 's', JWKS_FILE, JWT_ALGORITHMS: 'HS384,RS384,PS256,PS512,ES384' },
      { JWKS_URL, JWT_ALGORITHMS: 'RS512,ES384,ES512,Ed25519' },
      { JWKS_URL, JWKS_FILE, JWT_ALGORITHMS: 'ES512' },
    ])
      expect([right, problemsOf(right)]).toEqual([right, []]);
    for (const [given, env, missing] of [
      ['HS384', { JWKS_FILE }, 'HS384 only with JWT_SECRET'],
      ['RS384', { JWT_SECRET: 's' }, 'RS384 only with JWKS_URL, or with a key of its kind in JWKS_FILE'],
      ['RS384', {}, 'RS384 only with JWKS_URL'],
      ['ES512', { JWKS_FILE }, 'ES512 only with JWKS_URL'],
      ['Ed25519', { JWKS_FILE, JWT_SECRET: 's' }, 'Ed25519 only with'],
    ] as const) {
      const problems = problemsOf({ ...env, JWT_ALGORITHMS: `PS256,${given}`, JWKS_URL: '' });
      expect(problems).toEqual([expect.stringMatching(/^JWT_ALGORITHMS: ".*" is not valid; allowed: /)]);
      expect(problems[0]).toContain(missing);
    }
    for (const wrong of ['none', 'None', 'hs384', 'HS384;HS512', 'HS1', ','])
      expect(problemsOf({ ...bySecret, JWT_ALGORITHMS: wrong })).toEqual([
        expect.stringMatching(/^JWT_ALGORITHMS: .*allowed: names separated by commas: HS256, HS384,/),
      ]);
  });

  test('PERSONAL_ROOM needs {user} once, and something beside it', () => {
    for (const right of ['user-{user}', '{user}-inbox'])
      expect(loadConfig({ PERSONAL_ROOM: right }).values.PERSONAL_ROOM).toBe(right);
    for (const wrong of ['user', '{user}', '{user}{user}', '-{user}', 'user {user}', 'user-*{user}'])
      expect(problemsOf({ PERSONAL_ROOM: wrong })).toEqual([
        `PERSONAL_ROOM: "${wrong}" is not valid; allowed: a room name with one {user} in it, and something before or after it, such as user-{user}`,
      ]);
  });

  test('JWT_SECRET_PREVIOUS alone does not leave open whether clients need a token', () => {
    const previous = { JWT_SECRET_PREVIOUS: 's' };
    expect(problemsOf(previous)).toEqual([expect.stringMatching(/^JWT_SECRET_PREVIOUS: .* JWT_SECRET,/)]);
    expect(problemsOf({ ...previous, AUTH_ENABLED: 'true' })).toEqual([
      expect.stringMatching(/^AUTH_ENABLED: /),
    ]);
    expect(loadConfig({ ...previous, JWT_SECRET: 't' }).auth).toBe(true);
    expect(loadConfig({ ...previous, JWKS_URL: 'https://keys.example/' }).auth).toBe(true);
    const guests = { ...previous, JWKS_URL: 'https://keys.example/', GUEST_LOGIN: 'true' };
    expect(problemsOf(guests)).toEqual([expect.stringMatching(/^GUEST_LOGIN: .*JWT_SECRET/)]);
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

  test.each([
    [{ DRAIN_DELAY_SECONDS: '15' }, 45],
    [{ DRAIN_WINDOW_SECONDS: '45' }, 45],
    [{ DRAIN_DELAY_SECONDS: '1', DRAIN_WINDOW_SECONDS: '60' }, 61],
  ])('refuses %j: the process would be gone before the drain is over', (env, together) => {
    const { DRAIN_DELAY_SECONDS = '0', DRAIN_WINDOW_SECONDS = '30' }: Record<string, string> = env;
    expect(problemsOf(env)).toEqual([
      'SHUTDOWN_TIMEOUT_SECONDS: "45" is not valid; allowed: ' +
        `more than DRAIN_DELAY_SECONDS (${DRAIN_DELAY_SECONDS}) and ` +
        `DRAIN_WINDOW_SECONDS (${DRAIN_WINDOW_SECONDS}) together`,
    ]);
    expect(problemsOf({ ...env, SHUTDOWN_TIMEOUT_SECONDS: String(together) })).toHaveLength(1);
    expect(problemsOf({ ...env, SHUTDOWN_TIMEOUT_SECONDS: String(together + 1) })).toEqual([]);
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

describe('the settings of the backend', () => {
  const RIGHT = {
    BACKEND_URL: 'https://app.example/decide',
    BACKEND_SECRET: 's',
    BACKEND_EVENTS: 'join,call',
  };

  test('are taken, and connect is a source of keys', () => {
    const { auth, values } = loadConfig({ ...RIGHT, BACKEND_HEADERS: 'X-User, authorization' });
    expect(auth).toBe(false);
    expect(values.BACKEND_HEADERS).toEqual(['x-user', 'authorization']);
    expect(values.BACKEND_EVENTS).toEqual(['join', 'call']);
    const named = loadConfig({ ...RIGHT, BACKEND_EVENTS: 'connect' });
    expect(named).toMatchObject({ auth: true, checksTokens: false });
    expect(loadConfig({ ...RIGHT, BACKEND_EVENTS: 'connect', AUTH_ENABLED: 'false' }).auth).toBe(false);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['no secret', { ...RIGHT, BACKEND_SECRET: '' }, /^BACKEND_SECRET: not set, but BACKEND_URL is/],
    ['no events', { ...RIGHT, BACKEND_EVENTS: '' }, /^BACKEND_EVENTS: not set, but BACKEND_URL is/],
    [
      'an unknown event',
      { ...RIGHT, BACKEND_EVENTS: 'join,jump' },
      /^BACKEND_EVENTS: "join,jump" is not valid/,
    ],
    ['events without a URL', { BACKEND_EVENTS: 'connect' }, /^BACKEND_EVENTS: given without BACKEND_URL/],
    ['no header', { ...RIGHT, BACKEND_HEADERS: 'a b' }, /^BACKEND_HEADERS: "a b" is not valid/],
    [
      'no URL',
      { ...RIGHT, BACKEND_URL: 'ftp://user:hunter2@x' },
      /^BACKEND_URL: the value given is not valid/,
    ],
    [
      'cookies of any page',
      { ...RIGHT, BACKEND_HEADERS: 'Cookie' },
      /^BACKEND_HEADERS: cookie, while ALLOWED_ORIGINS holds \*/,
    ],
    [
      'cookies of pages without origin',
      { ...RIGHT, BACKEND_HEADERS: 'cookie', ALLOWED_ORIGINS: 'https://a.example,null' },
      /^BACKEND_HEADERS: cookie, while ALLOWED_ORIGINS holds null/,
    ],
  ])('%s', (_, env, problem) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
  });

  test('allow cookies with origins that are listed', () => {
    const origins = 'https://a.example,https://*.b.example,self';
    expect(problemsOf({ ...RIGHT, BACKEND_HEADERS: 'cookie', ALLOWED_ORIGINS: origins })).toEqual([]);
  });
});
