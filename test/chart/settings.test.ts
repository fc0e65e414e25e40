import { describe, expect, test } from 'vitest';
import { deployed, DEPLOYMENTS, valuesFor } from './deployments.ts';
import { find, render } from './helm.ts';
import { loadConfig } from '../../src/config.ts';

const DRAIN = {
  LOG_FORMAT: 'json',
  DRAIN_DELAY_SECONDS: '8',
  DRAIN_WINDOW_SECONDS: '30',
  SHUTDOWN_TIMEOUT_SECONDS: '50',
};
const SENTINELS = {
  ...DRAIN,
  REDIS_SENTINELS: [0, 1, 2].map((n) => `r-crosspod-redis-${n}.n.svc:26379`).join(','),
  REDIS_SENTINEL_MASTER: 'mymaster',
  REDIS_USERNAME: 'crosspod',
};

/** All settings that a pod is given in the open. */
const SETTINGS_OF: Readonly<Record<string, Record<string, string>>> = {
  defaults: SENTINELS,
  'production-traefik': {
    ...SENTINELS,
    ALLOWED_ORIGINS: 'https://app.example.com',
    JWKS_URL: 'https://id.example.com/keys',
    MAX_CONNECTIONS: '1000000',
    TRUST_PROXY: 'true',
  },
  haproxy: { ...SENTINELS, ALLOWED_ORIGINS: 'https://example.com' },
  'nginx-f5': { ...SENTINELS, ALLOWED_ORIGINS: 'https://example.com' },
  'ingress-nginx': SENTINELS,
  'ingress-plain': SENTINELS,
  'gateway-api': SENTINELS,
  keda: { ...SENTINELS, MAX_CONNECTIONS: '1000000' },
  'external-redis': {
    ...DRAIN,
    REDIS_URL: 'rediss://redis.example.com:6380',
    REDIS_USERNAME: 'crosspod',
    REDIS_DB: '3',
    REDIS_PREFIX: 'chat:',
  },
  'external-sentinel': {
    ...DRAIN,
    REDIS_SENTINELS: [0, 1, 2].map((n) => `sentinel-${n}.redis.svc:26379`).join(','),
    REDIS_SENTINEL_MASTER: 'events',
    REDIS_TLS: 'true',
    REDIS_CA_FILE: '/redis-ca/ca.crt',
  },
  'single-pod': { ...DRAIN, BROADCAST_MQ_TYPE: 'memory' },
  'locked-down': { ...SENTINELS, JWKS_URL: 'https://id.example.com/keys' },
  'prometheus-operator': { ...SENTINELS, MAX_CONNECTIONS: '20000', PUBLISH_BUFFER_MESSAGES: '0' },
  'pod-monitor': SENTINELS,
  'hooks-module': {
    ...SENTINELS,
    HOOKS_MODULE: '/hooks/hooks.ts',
    JWKS_FILE: '/keys/jwks.json',
    AUTH_ENABLED: 'true',
  },
  'long-names': {
    ...SENTINELS,
    REDIS_SENTINELS: [0, 1, 2, 3, 4]
      .map((n) => `gateway-of-the-chat-of-the-whole-company-redis-${n}.n.svc:26379`)
      .join(','),
  },
  'node-port': SENTINELS,
  'load-balancer': SENTINELS,
  'careful-updates': { ...SENTINELS, DRAIN_WINDOW_SECONDS: '300', SHUTDOWN_TIMEOUT_SECONDS: '330' },
};

async function settingsOf(deployment: string): Promise<Record<string, string>> {
  const name = deployment === 'long-names' ? 'gateway-of-the-chat-of-the-whole-company' : 'r-crosspod';
  return find(await deployed(deployment), 'ConfigMap', name)['data'];
}

describe.each(DEPLOYMENTS)('the deployment %s', (deployment) => {
  test('gives its pods these settings and no others', async () => {
    expect(await settingsOf(deployment)).toEqual(SETTINGS_OF[deployment]);
  });

  test('gives its pods settings that they take', async () => {
    // Files are in the pod, not here.
    const here = Object.entries(SETTINGS_OF[deployment] ?? {}).filter(([, value]) => !value.startsWith('/'));
    expect(() => loadConfig({ ...Object.fromEntries(here), JWT_SECRET: 'x'.repeat(32) })).not.toThrow();
  });
});

test('a setting is text, whatever it was among the values', async () => {
  const settings = {
    MAX_CONNECTIONS: 1_000_000,
    HISTORY_SIZE: 0,
    OUTBOX_BYTES: 1_073_741_824,
    AUTH_ENABLED: false,
    JWT_ISSUER: '007',
    ALLOWED_ORIGINS: 'https://a.example,https://b.example',
    LOG_LEVEL: null,
  };
  const objects = await render({ settings });
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data']).toEqual({
    ...SENTINELS,
    MAX_CONNECTIONS: '1000000',
    HISTORY_SIZE: '0',
    OUTBOX_BYTES: '1073741824',
    AUTH_ENABLED: 'false',
    JWT_ISSUER: '007',
    ALLOWED_ORIGINS: 'https://a.example,https://b.example',
  });
});

test('a number is the same on the command line', async () => {
  const objects = await render({}, ['--set', 'settings.MAX_CONNECTIONS=1000000,autoscaling.enabled=true']);
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data'].MAX_CONNECTIONS).toBe('1000000');
});

test('the database of a Redis of one’s own may be the first one', async () => {
  const externalRedis = { url: 'redis://redis:6379', db: 0 };
  const objects = await render({ redis: { enabled: false }, externalRedis });
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data'].REDIS_DB).toBe('0');
});

test('TLS is asked for where Redis is at a URL as well', async () => {
  const externalRedis = { url: 'redis://redis:6379', tls: { enabled: true, existingSecret: 'authority' } };
  const data = find(await render({ redis: { enabled: false }, externalRedis }), 'ConfigMap', 'r-crosspod')[
    'data'
  ];
  expect(data).toMatchObject({ REDIS_URL: 'redis://redis:6379', REDIS_TLS: 'true' });
  expect(data.REDIS_CA_FILE).toBe('/redis-ca/ca.crt');
});

test('without a Redis no authority is given for it', async () => {
  const externalRedis = { tls: { enabled: true, existingSecret: 'authority' } };
  const objects = await render({ redis: { enabled: false }, replicaCount: 1, externalRedis });
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data']).toEqual({ ...DRAIN, BROADCAST_MQ_TYPE: 'memory' });
  expect(find(objects, 'Deployment', 'r-crosspod')['spec'].template.spec).not.toHaveProperty('volumes');
});

test('pods can be told to listen on IPv6', async () => {
  const objects = await render({ settings: { HOST: '::' } });
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data'].HOST).toBe('::');
});

test.each<[string, Record<string, string>]>([
  ['haproxy', { JWT_SECRET: 'a-secret-that-nobody-guesses-0123456789', API_KEYS: 'key-of-the-backend' }],
  ['locked-down', { API_KEYS: 'key-of-the-backend' }],
  [
    'external-sentinel',
    {
      REDIS_PASSWORD: 'the-password-of-redis',
      REDIS_SENTINEL_PASSWORD: 'the-password-of-the-sentinels',
    },
  ],
])('the secrets of %s are in its Secret', async (deployment, stringData) => {
  const secret = find(await deployed(deployment), 'Secret', 'r-crosspod');
  expect(secret).toMatchObject({ apiVersion: 'v1', type: 'Opaque' });
  expect(secret['stringData']).toEqual(stringData);
  expect(secret).not.toHaveProperty('data');
});

test('a secret stays as it is, whatever is in it', async () => {
  const { externalRedis } = valuesFor('external-sentinel');
  const secrets = { JWT_SECRET: '1e3', API_KEYS: 'a: b,"c"', WEBHOOK_SECRET: 'true # \n\\' };
  const objects = await render({ secrets, externalRedis, redis: { enabled: false } });
  expect(find(objects, 'Secret', 'r-crosspod')['stringData']).toMatchObject(secrets);
});
