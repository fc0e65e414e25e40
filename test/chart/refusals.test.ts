import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHART, template } from './helm.ts';

const NO_REDIS = { redis: { enabled: false } };
/** As a key of a values file with nothing behind it. */
const EMPTY = null;
const KEDA = { enabled: true, prometheus: { serverAddress: 'http://p' } };

/** Values that make no sense together, and what is said of them: which value, and what to do. */
const REFUSED: readonly (readonly [string, object, string])[] = [
  [
    'two Redis',
    { externalRedis: { url: 'redis://r:6379' } },
    'externalRedis: given although redis.enabled is true; set redis.enabled=false to use your own Redis',
  ],
  [
    'two Redis, one of them by its Sentinels',
    { externalRedis: { sentinels: ['s:26379'] } },
    'externalRedis: given although redis.enabled is true; set redis.enabled=false to use your own Redis',
  ],
  [
    'a URL and Sentinels',
    { ...NO_REDIS, externalRedis: { url: 'redis://r:6379', sentinels: ['s:26379'] } },
    'externalRedis: give url or sentinels, not both',
  ],
  [
    'an authority for a Redis without TLS',
    { ...NO_REDIS, externalRedis: { sentinels: ['s:1'], tls: { existingSecret: 'ca' } } },
    'externalRedis.tls.existingSecret: given without TLS; set externalRedis.tls.enabled=true, or a url that begins with rediss://',
  ],
  [
    'pods that cannot find each other',
    { ...NO_REDIS, replicaCount: 2 },
    'without Redis every pod is alone: set redis.enabled=true or externalRedis, or one replica and no autoscaling',
  ],
  [
    'pods that would not find each other once there are more',
    { ...NO_REDIS, replicaCount: 1, autoscaling: { enabled: true } },
    'without Redis every pod is alone: set redis.enabled=true or externalRedis, or one replica and no autoscaling',
  ],
  [
    'pods that would not find each other once KEDA adds some',
    { ...NO_REDIS, replicaCount: 1, keda: KEDA },
    'without Redis every pod is alone: set redis.enabled=true or externalRedis, or one replica and no autoscaling',
  ],
  [
    'two autoscalers',
    { autoscaling: { enabled: true }, keda: KEDA },
    'autoscaling.enabled and keda.enabled: choose one; two autoscalers would work against each other',
  ],
  [
    'an HPA that may not have as many as it must',
    { autoscaling: { enabled: true, minReplicas: 11 } },
    'autoscaling.minReplicas: more than autoscaling.maxReplicas',
  ],
  [
    'KEDA that may not have as many as it must',
    { keda: { ...KEDA, minReplicas: 11 } },
    'keda.minReplicas: more than keda.maxReplicas',
  ],
  [
    'KEDA without a Prometheus',
    { keda: { enabled: true } },
    'keda.prometheus.serverAddress: KEDA asks Prometheus for the connections; say where it is',
  ],
  [
    'an HPA that waits for more connections than there can be',
    { autoscaling: { enabled: true, targetConnections: 10_001 } },
    'autoscaling.targetConnections: more than a pod takes (MAX_CONNECTIONS is 10000)',
  ],
  [
    'the same with a limit of one’s own',
    { autoscaling: { enabled: true }, settings: { MAX_CONNECTIONS: '5000' } },
    'autoscaling.targetConnections: more than a pod takes (MAX_CONNECTIONS is 5000)',
  ],
  [
    'KEDA that waits for more connections than there can be',
    { keda: KEDA, settings: { MAX_CONNECTIONS: 5_000 } },
    'keda.targetConnections: more than a pod takes (MAX_CONNECTIONS is 5000)',
  ],
  [
    'a drain that takes longer than it may',
    { drain: { windowSeconds: 42 } },
    'drain.timeoutSeconds: must be more than drain.delaySeconds + drain.windowSeconds, or the drain is cut short',
  ],
  [
    'a drain that begins before anybody knows',
    { readinessProbe: { periodSeconds: 3, failureThreshold: 3 } },
    'drain.delaySeconds: the readiness probe needs 9 s to fail (periodSeconds x failureThreshold), and the drain begins before',
  ],
  [
    'a pod that is killed while it drains',
    { terminationGracePeriodSeconds: 57 },
    'terminationGracePeriodSeconds: at least 58 (drain.preStopSeconds + drain.timeoutSeconds + 5), or pods are killed while they drain',
  ],
  [
    'a budget of nothing',
    { podDisruptionBudget: { maxUnavailable: null } },
    'podDisruptionBudget: give minAvailable or maxUnavailable, or set enabled to false',
  ],
  [
    'a group of values with nothing in it',
    { drain: EMPTY },
    'drain: nothing is under it; leave it out, or give it values',
  ],
  [
    'a drain of no length',
    { drain: { windowSeconds: EMPTY } },
    'drain.windowSeconds: empty; give a number of seconds, or leave it out',
  ],
  [
    'a probe that is slower than the drain by Kubernetes’ own period',
    { readinessProbe: { periodSeconds: EMPTY } },
    'drain.delaySeconds: the readiness probe needs 20 s to fail (periodSeconds x failureThreshold), and the drain begins before',
  ],
  [
    'a probe of which nothing is said',
    { readinessProbe: EMPTY },
    'drain.delaySeconds: the readiness probe needs 30 s to fail (periodSeconds x failureThreshold), and the drain begins before',
  ],
  [
    'an Ingress for nobody',
    { ingress: { enabled: true, hosts: EMPTY } },
    "ingress.hosts: empty; give one at least, with host: '' for any, or leave it out",
  ],
  [
    'a port that the chart sets',
    { extraEnv: [{ name: 'PORT', value: '1' }] },
    'extraEnv: PORT is set by the chart, and a variable cannot be there twice; use service.port; pods listen on 8080',
  ],
  [
    'the other port',
    { extraEnv: [{ name: 'OPS_PORT', value: '1' }] },
    'extraEnv: OPS_PORT is set by the chart, and a variable cannot be there twice; use opsService.port; pods listen on 9090',
  ],
  [
    'a secret that is given twice',
    { secrets: { existingSecret: 'mine' }, extraEnv: [{ name: 'A' }, { name: 'API_KEYS', value: 'k' }] },
    'extraEnv: API_KEYS is set by the chart, and a variable cannot be there twice; use secrets.API_KEYS or secrets.existingSecret',
  ],
  [
    'a password beside that of the chart’s Redis',
    { extraEnv: [{ name: 'REDIS_SENTINEL_PASSWORD', value: 'p' }] },
    'extraEnv: REDIS_SENTINEL_PASSWORD is set by the chart, and a variable cannot be there twice; use redis.auth.sentinelPassword or redis.auth.existingSecret',
  ],
  [
    'a password beside that of another Redis',
    {
      ...NO_REDIS,
      externalRedis: { url: 'redis://r:6379', password: 'p' },
      extraEnv: [{ name: 'REDIS_PASSWORD', value: 'p' }],
    },
    'extraEnv: REDIS_PASSWORD is set by the chart, and a variable cannot be there twice; use externalRedis.password or externalRedis.existingSecret',
  ],
  [
    'figures that are there twice',
    { monitoring: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
    'monitoring: choose serviceMonitor or podMonitor; with both every figure is there twice',
  ],
  [
    'a route that belongs to no Gateway',
    { httpRoute: { enabled: true } },
    'httpRoute.parentRefs: name the Gateway that the route belongs to',
  ],
  [
    'an Ingress that its controller would not serve',
    { ingress: { enabled: true, preset: 'nginx-f5' } },
    "ingress.hosts: each needs a host; F5's controller leaves an Ingress without one aside",
  ],
  [
    'a rolling update that is none',
    { updateStrategy: { type: 'Recreate' } },
    'updateStrategy.rollingUpdate: only for type RollingUpdate; set it to null',
  ],
];

test.each(REFUSED)('%s: refused, with a reason', async (_, values, message) => {
  const { code, stderr } = await template(values);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});

test('what is just about allowed is not refused', async () => {
  const { code, stderr } = await template({
    settings: { MAX_CONNECTIONS: 7_000 },
    autoscaling: { enabled: true, minReplicas: 10 },
    drain: { windowSeconds: 41 },
    readinessProbe: { periodSeconds: 4 },
    // Nobody else gives these.
    extraEnv: [
      { name: 'API_KEYS', value: 'k' },
      { name: 'OTEL_SDK_DISABLED', value: 'true' },
    ],
    terminationGracePeriodSeconds: 58,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

test('each reason that the templates have is given to somebody here', () => {
  const folder = join(CHART, 'templates');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(tpl|yaml|txt)$/.test(file),
  );
  // Those of Redis have tests of their own.
  const own = files
    .filter((file) => !file.startsWith('redis'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const reasons = [...own.join('\n').matchAll(/fail (?:\(printf )?"([^"%]+)/g)].map(
    ([, reason = '']) => reason,
  );
  expect(reasons.length).toBeGreaterThan(10);
  for (const reason of reasons)
    expect(REFUSED.map(([, , message]) => message)).toContainEqual(expect.stringContaining(reason));
});
