import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHART, template } from './helm.ts';
import { REFUSED_OF_KUBERNETES } from './refused-objects.ts';
import { REFUSED_WITHOUT_EFFECT } from './refused-unused.ts';
import { NOT_TO_BE_READ, REFUSED_IN_CLUSTER, REFUSED_OF_GATEWAY } from './refused-gateway.ts';

const NO_REDIS = { redis: { enabled: false } };
/** As a key of a values file with nothing behind it. */
const EMPTY = null;
const KEDA = { enabled: true, prometheus: { serverAddress: 'http://p' } };

/** Values that make no sense together, and what is said of them: which value, and what to do. */
const REFUSED: readonly (readonly [string, object, string])[] = [
  ...REFUSED_OF_KUBERNETES,
  ...REFUSED_WITHOUT_EFFECT,
  [
    'two Redis',
    { externalRedis: { url: 'redis://r:6379' } },
    'externalRedis: cannot be used while redis.enabled is true; set redis.enabled=false to use your own Redis',
  ],
  [
    'two Redis, one of them by its Sentinels',
    { externalRedis: { sentinels: ['s:26379'] } },
    'externalRedis: cannot be used while redis.enabled is true; set redis.enabled=false to use your own Redis',
  ],
  [
    'two Redis, one of them a Cluster',
    { externalRedis: { cluster: ['c:6379'] } },
    'externalRedis: cannot be used while redis.enabled is true; set redis.enabled=false to use your own Redis',
  ],
  [
    'a URL and Sentinels',
    { ...NO_REDIS, externalRedis: { url: 'redis://r:6379', sentinels: ['s:26379'] } },
    'externalRedis: give only one of url, urlKey, sentinels and cluster',
  ],
  [
    'a URL and a Cluster',
    { ...NO_REDIS, externalRedis: { url: 'redis://r:6379', cluster: ['c:6379'] } },
    'externalRedis: give only one of url, urlKey, sentinels and cluster',
  ],
  [
    'Sentinels and a Cluster',
    { ...NO_REDIS, externalRedis: { sentinels: ['s:26379'], cluster: ['c:6379'] } },
    'externalRedis: give only one of url, urlKey, sentinels and cluster',
  ],
  [
    'a database that a Cluster has not',
    { ...NO_REDIS, externalRedis: { cluster: ['c:6379'], db: 1 } },
    'externalRedis.db: a Redis Cluster has only database 0; leave it out',
  ],
  [
    'an authority for a Redis without TLS',
    { ...NO_REDIS, externalRedis: { sentinels: ['s:1'], tls: { existingSecret: 'ca' } } },
    'externalRedis.tls.existingSecret: TLS is off; set externalRedis.tls.enabled=true, or a url that starts with rediss://',
  ],
  [
    'an authority for a Cluster without TLS',
    { ...NO_REDIS, externalRedis: { cluster: ['c:1'], tls: { existingSecret: 'ca' } } },
    'externalRedis.tls.existingSecret: TLS is off; set externalRedis.tls.enabled=true, or a url that starts with rediss://',
  ],
  [
    'NATS beside the chart’s Redis',
    { externalNats: { servers: ['nats://n:4222'] } },
    'externalNats: cannot be used while redis.enabled is true; set redis.enabled=false to use NATS',
  ],
  [
    'NATS, by a Secret, beside the chart’s Redis',
    { externalNats: { existingSecret: 'mine', urlKey: 'url' } },
    'externalNats: cannot be used while redis.enabled is true; set redis.enabled=false to use NATS',
  ],
  ...[{ url: 'redis://r:6379' }, { sentinels: ['s:26379'] }, { cluster: ['c:6379'] }].map(
    (externalRedis) =>
      [
        `NATS beside a Redis by its ${Object.keys(externalRedis).join()}`,
        { ...NO_REDIS, externalRedis, externalNats: { servers: ['nats://n:4222'] } },
        'externalNats: cannot be used together with externalRedis; give only one',
      ] as const,
  ),
  [
    'NATS, by a Secret, beside a Redis',
    {
      ...NO_REDIS,
      externalRedis: { url: 'redis://r:6379' },
      externalNats: { existingSecret: 'mine', urlKey: 'url' },
    },
    'externalNats: cannot be used together with externalRedis; give only one',
  ],
  [
    'servers of NATS here and in a Secret',
    { ...NO_REDIS, externalNats: { servers: ['nats://n:4222'], existingSecret: 'mine', urlKey: 'url' } },
    'externalNats.urlKey: the URLs hold servers and login; remove servers and credentialsKey',
  ],
  [
    'credentials for NATS beside a login',
    { ...NO_REDIS, externalNats: { existingSecret: 'mine', urlKey: 'url', credentialsKey: 'creds' } },
    'externalNats.urlKey: the URLs hold servers and login; remove servers and credentialsKey',
  ],
  [
    'a key with the credentials for NATS in no Secret',
    { ...NO_REDIS, externalNats: { servers: ['nats://n:4222'], credentialsKey: 'creds' } },
    'externalNats.existingSecret: empty; name the Secret that has the key',
  ],
  [
    'a key with the servers of NATS in no Secret',
    { ...NO_REDIS, externalNats: { urlKey: 'url' } },
    'externalNats.existingSecret: empty; name the Secret that has the key',
  ],
  [
    'a Secret for NATS of which nothing is used',
    { ...NO_REDIS, externalNats: { servers: ['nats://n:4222'], existingSecret: 'mine' } },
    'externalNats.existingSecret: none of its keys would be used; give credentialsKey or urlKey',
  ],
  [
    'servers of NATS that are not alike',
    { ...NO_REDIS, externalNats: { servers: ['nats://a:4222', 'tls://b:4222'] } },
    'externalNats.servers: all must start with nats://, or all with tls://',
  ],
  [
    'an authority for a NATS without TLS',
    { ...NO_REDIS, externalNats: { servers: ['nats://n:4222'], tls: { existingSecret: 'ca' } } },
    'externalNats.tls.existingSecret: TLS is off; start the servers with tls://',
  ],
  [
    'pods that cannot find each other',
    { ...NO_REDIS, replicaCount: 2 },
    'replicaCount: without Redis or NATS pods cannot exchange messages; set redis.enabled=true, externalRedis or externalNats, or use one replica and no autoscaling',
  ],
  [
    'pods that would not find each other once there are more',
    { ...NO_REDIS, replicaCount: 1, autoscaling: { enabled: true } },
    'replicaCount: without Redis or NATS pods cannot exchange messages; set redis.enabled=true, externalRedis or externalNats, or use one replica and no autoscaling',
  ],
  [
    'pods that would not find each other once KEDA adds some',
    { ...NO_REDIS, replicaCount: 1, keda: KEDA },
    'replicaCount: without Redis or NATS pods cannot exchange messages; set redis.enabled=true, externalRedis or externalNats, or use one replica and no autoscaling',
  ],
  [
    'two autoscalers',
    { autoscaling: { enabled: true }, keda: KEDA },
    'autoscaling.enabled and keda.enabled: set only one to true; two autoscalers would work against each other',
  ],
  [
    'an HPA that may not have as many as it must',
    { autoscaling: { enabled: true, minReplicas: 11 } },
    'autoscaling.minReplicas: must not exceed autoscaling.maxReplicas',
  ],
  [
    'KEDA that may not have as many as it must',
    { keda: { ...KEDA, minReplicas: 11 } },
    'keda.minReplicas: must not exceed keda.maxReplicas',
  ],
  [
    'KEDA without a Prometheus',
    { keda: { enabled: true } },
    'keda.prometheus.serverAddress: empty; KEDA needs the address of Prometheus to query the connections',
  ],
  [
    'an HPA that waits for more connections than there can be',
    { autoscaling: { enabled: true, targetConnections: 7_000 } },
    'autoscaling.targetConnections: must be at most 6059, because a pod takes 10000 connections (MAX_CONNECTIONS) and at least 2 pods run',
  ],
  [
    'the same with a limit of one’s own',
    { autoscaling: { enabled: true }, settings: { MAX_CONNECTIONS: '5000' } },
    'autoscaling.targetConnections: must be at most 3029, because a pod takes 5000',
  ],
  [
    'an HPA on a percentage of no request',
    {
      autoscaling: { enabled: true, targetCPUUtilizationPercentage: 50 },
      resources: { requests: { cpu: null } },
    },
    'autoscaling.targetCPUUtilizationPercentage: a percentage of resources.requests.cpu, which is empty; set that request',
  ],
  [
    'KEDA that waits for more connections than there can be',
    { keda: KEDA, settings: { MAX_CONNECTIONS: 5_000 } },
    'keda.targetConnections: must be at most 3029, because a pod takes 5000',
  ],
  [
    'a route of the HTTP API without its Service',
    { httpApi: { httpRoute: { enabled: true, parentRefs: [{ name: 'g' }] } } },
    'httpApi.httpRoute.enabled: needs the Service of the HTTP API; set httpApi.service.enabled=true',
  ],
  [
    'a route of the HTTP API without a Gateway',
    { httpApi: { service: { enabled: true }, httpRoute: { enabled: true } } },
    'httpApi.httpRoute.parentRefs: empty; name the Gateway of the route',
  ],
  [
    'a budget of nobody',
    { podDisruptionBudget: { maxUnavailable: 0 } },
    'podDisruptionBudget: would never allow an eviction, so no node could be drained; allow at least one pod to be unavailable at the minimum number of pods',
  ],
  [
    'a budget of nobody in per cent',
    { podDisruptionBudget: { maxUnavailable: '0%' } },
    'podDisruptionBudget: would never allow an eviction, so no node could be drained; allow at least one pod to be unavailable at the minimum number of pods',
  ],
  [
    'a budget that needs everybody',
    { replicaCount: 1, podDisruptionBudget: { minAvailable: 1 } },
    'podDisruptionBudget: would never allow an eviction, so no node could be drained; allow at least one pod to be unavailable at the minimum number of pods',
  ],
  [
    'a budget that needs everybody while as few run as may',
    { autoscaling: { enabled: true }, podDisruptionBudget: { minAvailable: '51%' } },
    'podDisruptionBudget: would never allow an eviction, so no node could be drained; allow at least one pod to be unavailable at the minimum number of pods',
  ],
  [
    'figures twice, by annotations and by a monitor',
    { monitoring: { scrapeAnnotations: true, serviceMonitor: { enabled: true } } },
    'monitoring.scrapeAnnotations: a monitor is enabled already, and with both Prometheus may scrape every pod twice; leave it out',
  ],
  [
    'an autoscaler on no number',
    { autoscaling: { enabled: true, targetConnections: null } },
    'autoscaling.targetConnections: empty; give it a value, or leave it out',
  ],
  [
    'a drain that takes longer than it may',
    { drain: { windowSeconds: 42 } },
    'drain.timeoutSeconds: must be more than drain.delaySeconds + drain.windowSeconds, or the drain is cut short',
  ],
  [
    'a drain that begins before anybody knows',
    { readinessProbe: { periodSeconds: 3, failureThreshold: 3 } },
    'drain.delaySeconds: must be at least 9, because the readiness probe takes that long to fail (periodSeconds x failureThreshold) and the drain must not begin before; raise it together with drain.timeoutSeconds, or make the probe faster',
  ],
  [
    'a pod that is killed while it drains',
    { terminationGracePeriodSeconds: 57 },
    'terminationGracePeriodSeconds: must be at least 58 (drain.preStopSeconds + drain.timeoutSeconds + 5), or Kubernetes kills pods while they drain',
  ],
  [
    'a startup probe that ends while a pod waits for Redis',
    { startupProbe: { failureThreshold: 20 } },
    'startupProbe.failureThreshold: the probe gives a pod 20 s (periodSeconds x failureThreshold), but the pod may wait 20 s for Redis or NATS (START_WAIT_SECONDS); raise it, or leave it out',
  ],
  [
    'the same with a wait of one’s own',
    { startupProbe: { periodSeconds: 2, failureThreshold: 30 }, settings: { START_WAIT_SECONDS: '60' } },
    'startupProbe.failureThreshold: the probe gives a pod 60 s (periodSeconds x failureThreshold), but the pod may wait 60 s for Redis or NATS (START_WAIT_SECONDS)',
  ],
  [
    'a budget of nothing',
    { podDisruptionBudget: { maxUnavailable: null } },
    'podDisruptionBudget: give minAvailable or maxUnavailable, or set enabled to false',
  ],
  [
    'a group of values with nothing in it',
    { drain: EMPTY },
    'drain: the group is empty; leave it out, or give it values',
  ],
  [
    'a drain of no length',
    { drain: { windowSeconds: EMPTY } },
    'drain.windowSeconds: empty; give it a value, or leave it out',
  ],
  [
    'a probe that is slower than the drain by Kubernetes’ own period',
    { readinessProbe: { periodSeconds: EMPTY } },
    'drain.delaySeconds: must be at least 20, because the readiness probe takes that long to fail',
  ],
  [
    'a probe of which nothing is said',
    { readinessProbe: EMPTY },
    'drain.delaySeconds: must be at least 30, because the readiness probe takes that long to fail',
  ],
  [
    'an Ingress for nobody',
    { ingress: { enabled: true, hosts: EMPTY } },
    "ingress.hosts: empty; give at least one (host: '' matches any), or leave it out",
  ],
  [
    'figures that are there twice',
    { monitoring: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } },
    'monitoring: enable serviceMonitor or podMonitor, not both; with both Prometheus scrapes every pod twice',
  ],
  [
    'a route that belongs to no Gateway',
    { httpRoute: { enabled: true } },
    'httpRoute.parentRefs: empty; name the Gateway of the route',
  ],
  [
    'an Ingress that its controller would not serve',
    { ingress: { enabled: true, preset: 'nginx-f5' } },
    "ingress.hosts: every item needs a host; F5's controller ignores an Ingress without one",
  ],
  [
    'a rolling update that is none',
    { updateStrategy: { type: 'Recreate' } },
    'updateStrategy.rollingUpdate: only for type RollingUpdate; set it to null',
  ],
];

test.each([...REFUSED, ...REFUSED_OF_GATEWAY])('%s: refused, with a reason', async (_, values, message) => {
  const { code, stderr } = await template(values);
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
  // Helm's log may be anybody's.
  expect(stderr).not.toContain(NOT_TO_BE_READ);
});

test('what is just about allowed is not refused', async () => {
  const { code, stderr } = await template({
    settings: { MAX_CONNECTIONS: 7_262 },
    autoscaling: { enabled: true, minReplicas: 10 },
    drain: { windowSeconds: 41 },
    readinessProbe: { periodSeconds: 4 },
    extraEnv: [{ name: 'OTEL_SDK_DISABLED', value: 'true' }],
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
  const messages = [...REFUSED, ...REFUSED_OF_GATEWAY].map(([, , message]) => message);
  messages.push(...Object.values(REFUSED_IN_CLUSTER));
  for (const reason of reasons) expect(messages).toContainEqual(expect.stringContaining(reason));
});
