import { expect, test } from 'vitest';
import { deployed, labels, selector, valuesFor } from './deployments.ts';
import { find, type KubernetesObject, render, settingsOf } from './helm.ts';

const SECURITY = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
const OWN = { redis: { enabled: false } };
const AUTHORITY = { existingSecret: 'authority', caKey: 'ca.pem' };
/** Variables of the container that come from elsewhere. */
// oxlint-disable-next-line typescript/no-explicit-any
function referencesOf({ env }: any): object[] {
  return env.filter(({ valueFrom }: { valueFrom?: object }) => valueFrom !== undefined);
}

function fromSecret(name: string, secret: string, key: string): object {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

async function gateway(deployment: string): Promise<KubernetesObject> {
  return find(await deployed(deployment), 'Deployment', 'r-crosspod');
}

// oxlint-disable-next-line typescript/no-explicit-any
function podOf(object: KubernetesObject): any {
  return object['spec'].template.spec;
}

// oxlint-disable-next-line typescript/no-explicit-any
async function container(deployment: string): Promise<any> {
  return podOf(await gateway(deployment)).containers[0];
}

function spread(topologyKey: string): object {
  return {
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: selector('gateway') },
    matchLabelKeys: ['pod-template-hash'],
  };
}

/** So long pods stay on a node that is lost. */
function lost(taint: string, tolerationSeconds = 20): object {
  return { key: `node.kubernetes.io/${taint}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds };
}

function probe(path: string, more: object): object {
  return { httpGet: { path, port: 'ops' }, ...more };
}

test('by default two pods run, replaced one by one, spread over nodes, and over zones where there are some', async () => {
  const { metadata, spec } = await gateway('defaults');
  const { template, ...rest } = spec;
  expect(metadata.labels).toEqual(labels('gateway'));
  expect(rest).toEqual({
    replicas: 2,
    revisionHistoryLimit: 5,
    minReadySeconds: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    selector: { matchLabels: selector('gateway') },
  });
  const { containers, ...pod } = template.spec;
  expect(containers).toHaveLength(1);
  expect(pod).toEqual({
    serviceAccountName: 'r-crosspod',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 58,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    dnsConfig: {
      options: [
        { name: 'timeout', value: '1' },
        { name: 'attempts', value: '3' },
      ],
    },
    // No second constraint: a node that lacks its label would be scored for neither.
    topologySpreadConstraints: [spread('kubernetes.io/hostname')],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 100,
            podAffinityTerm: {
              topologyKey: 'topology.kubernetes.io/zone',
              labelSelector: { matchLabels: selector('gateway') },
            },
          },
        ],
      },
    },
    tolerations: [lost('not-ready'), lost('unreachable')],
  });
});

test('by default a container is looked after, drains and has no more rights than it needs', async () => {
  expect(await container('defaults')).toEqual({
    name: 'crosspod',
    image: 'docker.io/crosspod/crosspod:0.1.0',
    imagePullPolicy: 'IfNotPresent',
    securityContext: SECURITY,
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'ops', containerPort: 9090 },
    ],
    env: [
      { name: 'PORT', value: '8080' },
      { name: 'OPS_PORT', value: '9090' },
      ...Object.entries(settingsOf(await deployed('defaults'))).map(([name, value]) => ({ name, value })),
      fromSecret('REDIS_PASSWORD', 'r-crosspod-redis', 'password'),
      fromSecret('REDIS_SENTINEL_PASSWORD', 'r-crosspod-redis', 'sentinel-password'),
    ],
    lifecycle: { preStop: { sleep: { seconds: 3 } } },
    startupProbe: probe('/livez', { periodSeconds: 1, failureThreshold: 60 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
    readinessProbe: probe('/readyz', { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 2 }),
    resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '768Mi' } },
  });
});

test('by default pods carry the labels they are found by, and tell Prometheus where to look', async () => {
  const { spec } = await gateway('defaults');
  expect(spec.template.metadata).toEqual({
    labels: selector('gateway'),
    annotations: {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9090',
      'prometheus.io/path': '/metrics',
    },
  });
});

test.each(['production-traefik', 'keda'])(
  'in %s the number of pods is left to the autoscaler',
  async (name) => {
    expect(await gateway(name)).not.toHaveProperty('spec.replicas');
  },
);

test('labels and annotations that are given are there once, the nearer ones winning', async () => {
  const { spec, metadata } = await gateway('production-traefik');
  expect(metadata.labels).toEqual({ ...labels('gateway'), team: 'realtime' });
  expect(spec.selector.matchLabels).toEqual(selector('gateway'));
  expect(spec.template.metadata.labels).toEqual({ ...selector('gateway'), team: 'chat', tier: 'edge' });
  expect(spec.template.metadata.annotations).toMatchObject({
    'prometheus.io/scrape': 'false',
    'prometheus.io/port': '9090',
  });
});

test('what Helm counts on wins over labels that are given; the rest is for whoever gives them', async () => {
  const commonLabels = {
    'app.kubernetes.io/managed-by': 'me',
    'helm.sh/chart': 'mine',
    'app.kubernetes.io/part-of': 'shop',
  };
  const { metadata } = find(await render({ commonLabels }), 'Deployment', 'r-crosspod');
  expect(metadata.labels).toEqual({ ...labels('gateway'), 'app.kubernetes.io/part-of': 'shop' });
});

test('a digest wins over the tag, and the secrets of an operator are read where they are', async () => {
  const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
  const pod = podOf(await gateway('production-traefik'));
  expect(pod).toMatchObject({ imagePullSecrets: [{ name: 'registry' }], priorityClassName: 'production' });
  expect(pod.containers[0]).toMatchObject({
    image: `registry.example.com/platform/crosspod@${digest}`,
    resources: { requests: { cpu: '1', memory: '256Mi' }, limits: { memory: '2Gi' } },
  });
  expect(referencesOf(pod.containers[0])).toEqual([
    fromSecret('JWT_SECRET', 'crosspod-secrets', 'JWT_SECRET'),
    fromSecret('API_KEYS', 'crosspod-secrets', 'API_KEYS'),
    fromSecret('REDIS_PASSWORD', 'crosspod-redis', 'password'),
    fromSecret('REDIS_SENTINEL_PASSWORD', 'crosspod-redis', 'sentinel-password'),
  ]);
});

test('a secret that is given wins over the one of the existing Secret', async () => {
  const secrets = { existingSecret: 'mine', API_KEYS: 'k' };
  const [first] = podOf(
    find(await render({ secrets, redis: { enabled: false }, replicaCount: 1 }), 'Deployment', 'r-crosspod'),
  ).containers;
  expect(first.env).toContainEqual(fromSecret('API_KEYS', 'r-crosspod', 'API_KEYS'));
  expect(referencesOf(first)).toEqual([
    fromSecret('JWT_SECRET', 'mine', 'JWT_SECRET'),
    fromSecret('API_KEYS', 'r-crosspod', 'API_KEYS'),
  ]);
});

test('keys of a Secret may have names of their own, and no other of it is read', async () => {
  expect(referencesOf(await container('own-secret')).slice(0, 3)).toEqual([
    fromSecret('JWT_SECRET', 'from-the-vault', 'jwt'),
    fromSecret('JWT_SECRET_PREVIOUS', 'from-the-vault', 'jwt-before'),
    fromSecret('WEBHOOK_SECRET', 'from-the-vault', 'WEBHOOK_SECRET'),
  ]);
});

test('a whole Redis URL may come from a Secret, and then no password of it is read', async () => {
  expect(referencesOf(await container('external-redis-url'))).toEqual([
    fromSecret('API_KEYS', 'r-crosspod', 'API_KEYS'),
    fromSecret('REDIS_URL', 'cloud-redis', 'url'),
  ]);
});

test('passwords of a Redis of one’s own come from the Secret that holds them', async () => {
  expect(referencesOf(await container('external-redis'))).toEqual([
    fromSecret('REDIS_PASSWORD', 'cloud-redis', 'password'),
  ]);
  expect(referencesOf(await container('external-sentinel'))).toEqual([
    fromSecret('REDIS_PASSWORD', 'r-crosspod', 'REDIS_PASSWORD'),
    fromSecret('REDIS_SENTINEL_PASSWORD', 'r-crosspod', 'REDIS_SENTINEL_PASSWORD'),
  ]);
  const { redis, externalRedis } = valuesFor('external-sentinel');
  const objects = await render({
    redis,
    externalRedis: {
      sentinels: externalRedis.sentinels,
      existingSecret: 'mine',
      passwordKey: '',
      sentinelPasswordKey: 'of-sentinel',
    },
  });
  expect(referencesOf(podOf(find(objects, 'Deployment', 'r-crosspod')).containers[0])).toEqual([
    fromSecret('REDIS_SENTINEL_PASSWORD', 'mine', 'of-sentinel'),
  ]);
});

test('the password of a Redis Cluster comes from the Secret that holds it', async () => {
  expect(referencesOf(await container('external-cluster'))).toEqual([
    fromSecret('REDIS_PASSWORD', 'cloud-redis', 'password'),
  ]);
});

test('who asks NATS with a user and a password has the URL from the Secret that holds it', async () => {
  expect(referencesOf(await container('external-nats-login'))).toEqual([
    fromSecret('NATS_URL', 'chat-nats', 'url'),
  ]);
});

test('who asks NATS with credentials has them as a file, beside the authority and what else is given', async () => {
  const { extraVolumes, extraVolumeMounts } = valuesFor('hooks-module');
  const objects = await render({ ...valuesFor('external-nats'), extraVolumes, extraVolumeMounts });
  const pod = podOf(find(objects, 'Deployment', 'r-crosspod'));
  const file = (name: string, secretName: string, key: string): object => ({
    name,
    secret: { secretName, items: [{ key, path: key }] },
  });
  expect(referencesOf(pod.containers[0])).toEqual([]);
  expect(pod.volumes).toEqual([
    file('nats-ca', 'nats-authority', 'ca.pem'),
    file('nats-credentials', 'chat-nats', 'chat.creds'),
    ...extraVolumes,
  ]);
  expect(pod.containers[0].volumeMounts).toEqual([
    { name: 'nats-ca', mountPath: '/nats-ca', readOnly: true },
    { name: 'nats-credentials', mountPath: '/nats-credentials', readOnly: true },
    ...extraVolumeMounts,
  ]);
});

test('a NATS without an account and with certificates that Node knows asks for no files', async () => {
  const objects = await render({ ...OWN, externalNats: { servers: ['tls://n:4222'] } });
  expect(podOf(find(objects, 'Deployment', 'r-crosspod'))).not.toHaveProperty('volumes');
});

test('a single pod is replaced in place and knows of no Redis', async () => {
  const { spec } = await gateway('single-pod');
  expect(spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  expect(spec.strategy).toEqual({ type: 'Recreate' });
  expect(spec.template.metadata).not.toHaveProperty('annotations');
  const { containers, serviceAccountName, topologySpreadConstraints } = spec.template.spec;
  expect(serviceAccountName).toBe('default');
  expect(referencesOf(containers[0])).toEqual([]);
  expect(topologySpreadConstraints).toEqual([
    {
      topologyKey: 'kubernetes.io/hostname',
      maxSkew: 1,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: selector('gateway') },
    },
  ]);
});

test('long drains have the time they ask for, and no sleep of 0 seconds', async () => {
  const { spec } = await gateway('careful-updates');
  expect(spec.replicas).toBe(6);
  expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: '25%', maxUnavailable: 1 });
  expect(spec.minReadySeconds).toBe(41);
  expect(spec.template.spec.terminationGracePeriodSeconds).toBe(400);
  const [first] = spec.template.spec.containers;
  expect(first).not.toHaveProperty('lifecycle');
  expect(first.readinessProbe).toMatchObject({ initialDelaySeconds: 2, successThreshold: 2 });
  expect(first.securityContext).toEqual({ ...SECURITY, runAsUser: 2000 });
});

test('Kubernetes waits for the sleep, the drain and five seconds more', async () => {
  const drain = { preStopSeconds: 7, windowSeconds: 100, timeoutSeconds: 120 };
  const [atLeast, asGiven] = await Promise.all([
    render({ drain }),
    render({ drain, terminationGracePeriodSeconds: 132 }),
  ]);
  const waits = (objects: KubernetesObject[]): unknown =>
    podOf(find(objects, 'Deployment', 'r-crosspod')).terminationGracePeriodSeconds;
  expect([waits(atLeast), waits(asGiven)]).toEqual([132, 132]);
});

const OWN_NATS = { ...OWN, externalNats: { servers: ['nats://n:4222'] } };
const ALONE = { ...OWN, replicaCount: 1 };

test.each<[string, object, number, number]>([
  ['by default', {}, 20, 60],
  ['with a longer wait', { settings: { START_WAIT_SECONDS: 300 } }, 300, 340],
  ['with a period of its own', { startupProbe: { periodSeconds: 7 } }, 20, 63],
  ['with the period of Kubernetes', { startupProbe: { periodSeconds: null } }, 20, 60],
  ['with NATS', { ...OWN_NATS, settings: { START_WAIT_SECONDS: '50' } }, 50, 90],
  ['with attempts that are given', { startupProbe: { failureThreshold: 21 } }, 20, 21],
  ['without a wait', { settings: { START_WAIT_SECONDS: 0 } }, 0, 40],
  ['with nothing to wait for', { ...ALONE, settings: { START_WAIT_SECONDS: 300 } }, 0, 40],
])('a pod that waits for Redis or NATS is not restarted for it: %s', async (_, values, wait, patience) => {
  const objects = await render(values);
  const { startupProbe } = podOf(find(objects, 'Deployment', 'r-crosspod')).containers[0];
  const { httpGet, periodSeconds = 10, failureThreshold } = startupProbe;
  expect(httpGet).toEqual({ path: '/livez', port: 'ops' });
  expect(periodSeconds * failureThreshold).toBe(patience);
  expect(patience).toBeGreaterThan(wait);
});

test.each([
  ['external-sentinel', valuesFor('external-sentinel'), 'redis-authority', 'ca.crt'],
  ['external-cluster', valuesFor('external-cluster'), 'redis-authority', 'ca.crt'],
  ['a URL', { ...OWN, externalRedis: { url: 'rediss://r:1', tls: AUTHORITY } }, 'authority', 'ca.pem'],
  ['the Redis of the chart', { redis: { tls: { enabled: true, existingSecret: 'all' } } }, 'all', 'ca.crt'],
])('the authority of %s is in the pod without the keys beside it', async (_, values, secretName, key) => {
  const { extraVolumes, extraVolumeMounts } = valuesFor('hooks-module');
  const objects = await render({ ...values, extraVolumes, extraVolumeMounts });
  const pod = podOf(find(objects, 'Deployment', 'r-crosspod'));
  const volume = { name: 'redis-ca', secret: { secretName, items: [{ key, path: key }] } };
  const mount = { name: 'redis-ca', mountPath: '/redis-ca', readOnly: true };
  expect(pod.volumes).toEqual([volume, ...extraVolumes]);
  expect(pod.containers[0].volumeMounts).toEqual([mount, ...extraVolumeMounts]);
  expect(settingsOf(objects).REDIS_CA_FILE).toBe(`/redis-ca/${key}`);
});

test('files, variables and places that are given are those of the pod', async () => {
  const pod = podOf(await gateway('hooks-module'));
  const { nodeSelector, tolerations, affinity, extraVolumes, extraVolumeMounts, extraEnv } =
    valuesFor('hooks-module');
  expect(pod).toMatchObject({ nodeSelector, affinity, volumes: extraVolumes });
  expect(pod.tolerations).toEqual([...tolerations, lost('not-ready'), lost('unreachable')]);
  expect(pod.containers[0].volumeMounts).toEqual(extraVolumeMounts);
  expect(pod.containers[0].env.slice(-1)).toEqual(extraEnv);
});

test.each([
  ['nothing where Kubernetes’ own is wanted', { lostNodeSeconds: null }, undefined],
  ['as long as is asked for', { lostNodeSeconds: 0 }, [lost('not-ready', 0), lost('unreachable', 0)]],
  [
    'what is given for one of the taints',
    { tolerations: [lost('unreachable', 120)] },
    [lost('unreachable', 120), lost('not-ready')],
  ],
  ['what is given for all taints', { tolerations: [{ operator: 'Exists' }] }, [{ operator: 'Exists' }]],
])('a pod on a node that is lost tolerates %s', async (_, values, expected) => {
  const pod = podOf(find(await render(values), 'Deployment', 'r-crosspod'));
  expect(pod.tolerations).toEqual(expected);
});
