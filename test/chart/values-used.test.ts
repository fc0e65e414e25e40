import { expect, test } from 'vitest';
import { dryRun } from './helm.ts';
import { isObject, type Path, schemaAt, valueAt, VALUES } from './schema.ts';

const WITH_CREDENTIALS = {
  redis: { enabled: false },
  externalNats: { servers: ['nats://n:4222'], existingSecret: 'nats', credentialsKey: 'creds' },
};

const KEYS = ['JWT_SECRET', 'JWT_SECRET_PREVIOUS', 'API_KEYS', 'WEBHOOK_SECRET', 'BACKEND_SECRET'];

/** Values without which another one has nothing to say; the longest beginning of a value's name counts. */
const CONTEXTS: Readonly<Record<string, object>> = {
  extraVolumeMounts: { extraVolumes: [{ name: 'given', emptyDir: {} }] },
  'image.tag': { image: { digest: '' } },
  'updateStrategy.type': { updateStrategy: { rollingUpdate: null } },
  'serviceAccount.annotations': { serviceAccount: { create: true } },
  'service.nodePort': { service: { type: 'NodePort' } },
  'service.loadBalancer': { service: { type: 'LoadBalancer' } },
  'service.externalTrafficPolicy': { service: { type: 'LoadBalancer' } },
  ingress: { ingress: { enabled: true, preset: 'haproxy' } },
  'ingress.traefikObjects': { ingress: { enabled: true, preset: 'traefik' } },
  'ingress.cookie': { ingress: { enabled: true, preset: 'ingress-nginx' } },
  httpRoute: { httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] } },
  publicPaths: { ingress: { enabled: true } },
  'httpApi.service': { httpApi: { service: { enabled: true } } },
  'httpApi.httpRoute': {
    httpApi: { service: { enabled: true }, httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] } },
  },
  'httpApi.httpRoute.enabled': {
    httpApi: { service: { enabled: true }, httpRoute: { parentRefs: [{ name: 'g' }] } },
  },
  autoscaling: { autoscaling: { enabled: true } },
  keda: { keda: { enabled: true, prometheus: { serverAddress: 'http://p' } } },
  'monitoring.serviceMonitor': { monitoring: { serviceMonitor: { enabled: true } } },
  'monitoring.podMonitor': { monitoring: { podMonitor: { enabled: true } } },
  'monitoring.prometheusRule': { monitoring: { prometheusRule: { enabled: true } } },
  'monitoring.dashboard': { monitoring: { dashboard: { enabled: true } } },
  networkPolicy: { networkPolicy: { enabled: true } },
  'secrets.existingSecretKey': { secrets: { existingSecret: 'mine', existingSecretKeys: KEYS } },
  'secrets.API_KEYS': { authentication: { enabled: false } },
  'secrets.JWT_SECRET_PREVIOUS': { secrets: { JWT_SECRET: 's' } },
  authentication: { secrets: { JWT_SECRET: 's' } },
  externalRedis: { redis: { enabled: false }, externalRedis: { url: 'redis://r:6379' } },
  'externalRedis.url': { redis: { enabled: false }, replicaCount: 1 },
  'externalRedis.sentinels': { redis: { enabled: false }, replicaCount: 1 },
  'externalRedis.sentinelMaster': { redis: { enabled: false }, externalRedis: { sentinels: ['s:1'] } },
  'externalRedis.sentinelPassword': { redis: { enabled: false }, externalRedis: { sentinels: ['s:1'] } },
  'externalRedis.passwordKey': {
    redis: { enabled: false },
    externalRedis: { url: 'redis://r:6379', existingSecret: 'mine' },
  },
  'externalRedis.sentinelPasswordKey': {
    redis: { enabled: false },
    externalRedis: { sentinels: ['s:1'], existingSecret: 'mine' },
  },
  'externalRedis.urlKey': {
    redis: { enabled: false },
    externalRedis: { existingSecret: 'mine', urlKey: 'url' },
  },
  'externalRedis.tls': {
    redis: { enabled: false },
    externalRedis: { sentinels: ['s:1'], tls: { existingSecret: 'authority', enabled: true } },
  },
  'externalRedis.tls.enabled': { redis: { enabled: false }, externalRedis: { sentinels: ['s:1'] } },
  'externalRedis.cluster': { redis: { enabled: false }, replicaCount: 1 },
  externalNats: { redis: { enabled: false }, externalNats: { servers: ['nats://n:4222'] } },
  'externalNats.existingSecret': WITH_CREDENTIALS,
  'externalNats.credentialsKey': WITH_CREDENTIALS,
  'externalNats.urlKey': {
    redis: { enabled: false },
    externalNats: { existingSecret: 'nats', urlKey: 'url' },
  },
  'externalNats.tls': {
    redis: { enabled: false },
    externalNats: { servers: ['tls://n:4222'], tls: { existingSecret: 'authority' } },
  },
  'redis.enabled': { replicaCount: 1 },
  'redis.sentinel.quorum': { redis: { replicas: 5 } },
  'redis.tls': { redis: { tls: { existingSecret: 'tls' } } },
  'redis.tls.existingSecret': { redis: { tls: { enabled: true, existingSecret: 'tls' } } },
};

/** Without these every rendering would make passwords of its own. */
const PASSWORDS = { redis: { auth: { password: 'a', sentinelPassword: 'b', replicationPassword: 'c' } } };
/** Or this, which need not be hashed. */
const SECRET = { redis: { auth: { existingSecret: 'mine' } } };

/** Another value, where it does not follow from the one that is there. */
const OTHERS: Readonly<Record<string, unknown>> = {
  'resources.requests.cpu': '10m',
  'resources.requests.memory': '10Mi',
  'resources.limits.memory': '1Gi',
  'redis.resources.requests.cpu': '10m',
  'redis.resources.requests.memory': '10Mi',
  'redis.resources.limits.memory': '1Gi',
  'redis.sentinel.resources.requests.cpu': '10m',
  'redis.sentinel.resources.requests.memory': '10Mi',
  'redis.sentinel.resources.limits.memory': '1Gi',
  extraVolumeMounts: [{ name: 'given', mountPath: '/given' }],
  'networkPolicy.clients': [{ ipBlock: { cidr: '10.0.0.0/8' } }],
  'networkPolicy.operators': [{ ipBlock: { cidr: '10.0.0.0/8' } }],
  'networkPolicy.extraEgress': [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
  'image.digest': `sha256:${'0'.repeat(64)}`,
  imagePullSecrets: [{ name: 'registry' }],
  settings: { HISTORY_SIZE: 5 },
  'secrets.existingSecretKeys': ['JWT_SECRET'],
  'authentication.enabled': false,
  extraEnv: [{ name: 'A', value: 'b' }],
  rooms: [{ match: 'a' }],
  'drain.timeoutSeconds': 60,
  terminationGracePeriodSeconds: 100,
  'startupProbe.failureThreshold': 100,
  'service.externalTrafficPolicy': 'Local',
  'service.loadBalancerSourceRanges': ['10.0.0.0/8'],
  'ingress.hosts': [{ host: 'a.example', paths: [{ path: '/', pathType: 'Prefix' }] }],
  'ingress.tls': [{ secretName: 'tls', hosts: ['a.example'] }],
  publicPaths: ['/ws'],
  'httpRoute.parentRefs': [{ name: 'another' }],
  'httpRoute.rules': [{ filters: [{ type: 'X' }] }],
  'httpApi.httpRoute.parentRefs': [{ name: 'another' }],
  'httpApi.httpRoute.rules': [{ filters: [{ type: 'X' }] }],
  'autoscaling.metrics': [{ type: 'External' }],
  'keda.triggers': [{ type: 'cpu' }],
  'keda.prometheus.serverAddress': 'http://another',
  'monitoring.serviceMonitor.interval': '1m',
  'monitoring.podMonitor.interval': '1m',
  'externalRedis.url': 'redis://another:6379',
  'externalRedis.sentinels': ['another:26379'],
  'externalRedis.cluster': ['another:6379'],
  'externalNats.servers': ['nats://another:4222'],
  'tests.url': 'https://ws.example.com',
  'podDisruptionBudget.minAvailable': 1,
  'redis.replicas': 5,
  'redis.image.digest': `sha256:${'0'.repeat(64)}`,
  'redis.sentinel.quorum': 4,
  'redis.maxmemory': '300mb',
  'monitoring.scrapeAnnotations': false,
  'redis.minReplicasToWrite': 2,
  'redis.persistence.size': '2Gi',
};

interface Leaf {
  readonly name: string;
  readonly path: Path;
  readonly value: unknown;
}

function* leavesOf(value: unknown, path: Path = []): Generator<Leaf> {
  if (isObject(value) && Object.keys(value).length > 0) {
    for (const [name, inner] of Object.entries(value)) yield* leavesOf(inner, [...path, name]);
  } else yield { name: path.join('.'), path, value };
}

function merged(below: unknown, above: unknown): unknown {
  if (!isObject(below) || !isObject(above)) return above;
  const entries = Object.entries(above).map(([name, value]) => [name, merged(below[name], value)]);
  return { ...below, ...Object.fromEntries(entries) };
}

function contextOf(name: string): unknown {
  const fitting = Object.keys(CONTEXTS).filter((begin) => name.startsWith(begin));
  const longest = fitting.sort((a, b) => b.length - a.length)[0];
  const context = longest === undefined ? {} : CONTEXTS[longest];
  if (JSON.stringify(context).includes('"existingSecret":"mine"')) return context;
  return merged(/^redis\.auth\..*[pP]assword$/.test(name) ? PASSWORDS : SECRET, context);
}

/** Another value that the schema takes. */
function otherThan({ name, path, value }: Leaf): unknown {
  if (name in OTHERS) return OTHERS[name];
  const schema = schemaAt(path);
  const choice = schema?.enum?.find((one) => one !== value && one !== '');
  if (choice !== undefined) return choice;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1 > (schema?.maximum ?? Infinity) ? value / 2 : value + 1;
  if (typeof value === 'string') return `${value}x`;
  if (value === null) return 3;
  if (Array.isArray(value)) return schema?.items?.type === 'string' ? ['x'] : [{ x: 'y' }];
  return { x: 'y' };
}

function at(path: Path, values: unknown): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), values);
}

const seen = new Map<string, string>();

/** All that is installed and said with the values, but for when; that something differs is not what it is for. */
async function outcome(values: unknown): Promise<string> {
  const key = JSON.stringify(values);
  const known = seen.get(key);
  if (known !== undefined) return known;
  const { code, stdout, stderr } = await dryRun(values as object);
  if (code !== 0) throw new Error(stderr);
  const text = stdout.replaceAll(/^(LAST DEPLOYED|\s*checksum\/[-\w]+): .*$/gm, '');
  seen.set(key, text);
  return text;
}

test.each(['replicaCount', 'redis.auth.passwordKey', 'externalRedis'])(
  'with the same values nothing differs by chance: %s',
  async (name) => {
    const context = contextOf(name);
    const first = await outcome(context);
    seen.clear();
    expect(await outcome(context)).toBe(first);
  },
);

test.each([...leavesOf(VALUES)])('the value $name makes a difference', async ({ name, path, value }) => {
  const context = contextOf(name);
  const current = at(path, context) ?? value;
  const other = merged(context, valueAt(path, otherThan({ name, path, value: current })));
  expect(await outcome(other)).not.toBe(await outcome(context));
});
