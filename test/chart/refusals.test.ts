import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHART, template } from './helm.ts';

const NO_REDIS = { redis: { enabled: false } };
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
