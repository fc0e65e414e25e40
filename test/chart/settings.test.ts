import { describe, expect, test } from 'vitest';
import { deployed, DEPLOYMENTS, valuesFor } from './deployments.ts';
import { find, render, settingsOf } from './helm.ts';
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
    AUTH_ENABLED: 'true',
    JWKS_URL: 'https://id.example.com/keys',
    MAX_CONNECTIONS: '1000000',
    TRUST_PROXY: 'true',
  },
  haproxy: { ...SENTINELS, AUTH_ENABLED: 'true', ALLOWED_ORIGINS: 'https://example.com' },
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
  'external-redis-url': { ...DRAIN, AUTH_ENABLED: 'false', REDIS_CA_FILE: '/redis-ca/ca.crt' },
  'external-sentinel': {
    ...DRAIN,
    REDIS_SENTINELS: [0, 1, 2].map((n) => `sentinel-${n}.redis.svc:26379`).join(','),
    REDIS_SENTINEL_MASTER: 'events',
    REDIS_TLS: 'true',
    REDIS_CA_FILE: '/redis-ca/ca.crt',
  },
  'external-cluster': {
    ...DRAIN,
    REDIS_CLUSTER: [0, 1, 2].map((n) => `redis-${n}.example.com:6379`).join(','),
    REDIS_USERNAME: 'crosspod',
    REDIS_DB: '0',
    REDIS_TLS: 'true',
    REDIS_CA_FILE: '/redis-ca/ca.crt',
  },
  'external-nats': {
    ...DRAIN,
    BROADCAST_MQ_TYPE: 'nats',
    NATS_URL: [0, 1, 2].map((n) => `tls://nats-${n}.example.com:4222`).join(','),
    NATS_REPLICAS: '3',
    NATS_PREFIX: 'chat',
    NATS_CA_FILE: '/nats-ca/ca.pem',
    NATS_CREDENTIALS: '/nats-credentials/chat.creds',
  },
  'external-nats-login': {
    ...DRAIN,
    BROADCAST_MQ_TYPE: 'nats',
    NATS_REPLICAS: '1',
    NATS_PREFIX: 'realtime',
  },
  'single-pod': { ...DRAIN, BROADCAST_MQ_TYPE: 'memory' },
  'locked-down': { ...SENTINELS, AUTH_ENABLED: 'true', JWKS_URL: 'https://id.example.com/keys' },
  'prometheus-operator': { ...SENTINELS, MAX_CONNECTIONS: '20000', PUBLISH_BUFFER_MESSAGES: '0' },
  'own-secret': { ...SENTINELS, AUTH_ENABLED: 'true', WEBHOOK_URL: 'https://app.example.com/crosspod' },
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

/** What a pod has besides, out of Secrets that are not rendered, where it does not start without. */
const FROM_SECRETS: Readonly<Record<string, Record<string, string>>> = {
  'external-redis-url': { REDIS_URL: 'rediss://chat:password@redis:6380', API_KEYS: 'k' },
  'own-secret': { WEBHOOK_SECRET: 'secret' },
  'external-nats-login': { NATS_URL: 'nats://chat:password@nats-0:4222,nats://chat:password@nats-1:4222' },
};

async function givenTo(deployment: string): Promise<Record<string, string>> {
  const name = deployment === 'long-names' ? 'gateway-of-the-chat-of-the-whole-company' : 'r-crosspod';
  return settingsOf(await deployed(deployment), name);
}

describe.each(DEPLOYMENTS)('the deployment %s', (deployment) => {
  test('gives its pods these settings and no others', async () => {
    expect(await givenTo(deployment)).toEqual(SETTINGS_OF[deployment]);
  });

  test('gives its pods settings that they take', async () => {
    // Files are in the pod, not here.
    const here = Object.entries(SETTINGS_OF[deployment] ?? {}).filter(([, value]) => !value.startsWith('/'));
    const given = { ...Object.fromEntries(here), ...FROM_SECRETS[deployment], JWT_SECRET: 'x'.repeat(32) };
    expect(() => loadConfig(given)).not.toThrow();
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
  expect(settingsOf(objects)).toEqual({
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
  expect(settingsOf(objects).MAX_CONNECTIONS).toBe('1000000');
});

test('the database of a Redis of one’s own may be the first one', async () => {
  const externalRedis = { url: 'redis://redis:6379', db: 0 };
  const objects = await render({ redis: { enabled: false }, externalRedis });
  expect(settingsOf(objects).REDIS_DB).toBe('0');
});

test('TLS is asked for where Redis is at a URL as well', async () => {
  const externalRedis = { url: 'redis://redis:6379', tls: { enabled: true, existingSecret: 'authority' } };
  const data = settingsOf(await render({ redis: { enabled: false }, externalRedis }));
  expect(data).toMatchObject({ REDIS_URL: 'redis://redis:6379', REDIS_TLS: 'true' });
  expect(data.REDIS_CA_FILE).toBe('/redis-ca/ca.crt');
});

test('pods can be told to listen on IPv6', async () => {
  const objects = await render({ settings: { HOST: '::' } });
  expect(settingsOf(objects).HOST).toBe('::');
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
