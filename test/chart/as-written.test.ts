import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHART, find, helm, type KubernetesObject, notes, render, settingsOf } from './helm.ts';

// Values as people write them, each with what it has to come to; what is refused is in refusals.test.ts.

type Reads = (objects: readonly KubernetesObject[]) => unknown;

const K8S = join(import.meta.dirname, '../../k8s');
const NO_REDIS = { redis: { enabled: false } };

function file(...names: readonly string[]): string[] {
  return names.flatMap((name) => ['--values', join(K8S, name)]);
}

const pod: Reads = (objects) => find(objects, 'Deployment', 'r-crosspod')['spec'].template.spec;
const container = (objects: readonly KubernetesObject[]): KubernetesObject =>
  find(objects, 'Deployment', 'r-crosspod')['spec'].template.spec.containers[0];
const redisPod: Reads = (objects) => find(objects, 'StatefulSet', 'r-crosspod-redis')['spec'].template.spec;
const service: Reads = (objects) => find(objects, 'Service', 'r-crosspod')['spec'];
const settings: Reads = (objects) => settingsOf(objects);
const pathsOfIngress: Reads = (objects) =>
  find(objects, 'Ingress', 'r-crosspod')['spec'].rules.flatMap(
    ({ http }: { http: { paths: readonly { path: string }[] } }) => http.paths.map(({ path }) => path),
  );
const annotationsOfIngress: Reads = (objects) => find(objects, 'Ingress', 'r-crosspod').metadata.annotations;
const kinds: Reads = (objects) => objects.map(({ kind }) => kind);
const volumesOfTest: Reads = (objects) => {
  const { containers, volumes } = find(objects, 'Pod', 'r-crosspod-test')['spec'];
  const names = containers.map(({ volumeMounts = [] }: { volumeMounts?: readonly { name: string }[] }) =>
    volumeMounts.map(({ name }) => name),
  );
  return { names, volumes };
};

function ofGateway(more: object): object {
  return {
    ...more,
    labelSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/component': 'gateway' }) },
  };
}

const ZONES = {
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'DoNotSchedule',
};
const CA = {
  extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/ca/ca.crt' }],
  extraVolumes: [{ name: 'ca', configMap: { name: 'our-ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/ca' }],
};
const MIDDLEWARES = 'traefik.ingress.kubernetes.io/router.middlewares';
const ONE_PATH = [{ path: '/', pathType: 'Prefix' }];

const WRITTEN: readonly (readonly [string, object, Reads, unknown, (readonly string[])?])[] = [
  [
    'a number as text',
    {},
    settings,
    expect.objectContaining({ MAX_CONNECTIONS: '5000' }),
    ['--set-string', 'settings.MAX_CONNECTIONS=5000'],
  ],
  [
    'a large number, not as 1e+09',
    {},
    settings,
    expect.objectContaining({ MEMORY_BYTES: '1000000000' }),
    ['--set', 'settings.MEMORY_BYTES=1000000000'],
  ],
  [
    'a Redis without its port, and a database of it',
    { ...NO_REDIS, externalRedis: { url: 'redis://cache/2' } },
    settings,
    expect.objectContaining({ REDIS_URL: 'redis://cache/2' }),
  ],
  [
    'a Redis by an address of IPv6',
    { ...NO_REDIS, externalRedis: { url: 'rediss://[fd00::1]:6380' } },
    settings,
    expect.objectContaining({ REDIS_URL: 'rediss://[fd00::1]:6380' }),
  ],
  [
    'TLS beside a URL that does not say so, with an authority under a name of its own',
    {
      ...NO_REDIS,
      externalRedis: {
        url: 'redis://cache:6379',
        tls: { enabled: true, existingSecret: 'ca', caKey: 'our.pem' },
      },
    },
    settings,
    expect.objectContaining({ REDIS_TLS: 'true', REDIS_CA_FILE: '/redis-ca/our.pem' }),
  ],
  [
    'Sentinels with passwords of their own',
    {
      ...NO_REDIS,
      externalRedis: {
        sentinels: ['a:26379', 'b:26379', 'c:26379'],
        existingSecret: 'mine',
        sentinelPasswordKey: 'sp',
      },
    },
    (objects) => container(objects)['env'],
    expect.arrayContaining([
      { name: 'REDIS_SENTINELS', value: 'a:26379,b:26379,c:26379' },
      {
        name: 'REDIS_SENTINEL_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'mine', key: 'sp' } },
      },
    ]),
  ],
  [
    'an image out of a registry with a port',
    { image: { repository: 'registry:5000/team/crosspod', tag: '1.2' } },
    (objects) => container(objects)['image'],
    'registry:5000/team/crosspod:1.2',
  ],
  [
    'a tag that has its digest behind it',
    { image: { tag: `v1@sha256:${'a'.repeat(64)}` } },
    (objects) => container(objects)['image'],
    `docker.io/crosspod/crosspod:v1@sha256:${'a'.repeat(64)}`,
  ],
  [
    'OpenShift, which gives users itself',
    {
      podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null },
      redis: { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } },
    },
    (objects) => [pod(objects), redisPod(objects)],
    [
      expect.objectContaining({
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      }),
      expect.objectContaining({
        securityContext: {
          runAsNonRoot: true,
          fsGroupChangePolicy: 'OnRootMismatch',
          seccompProfile: { type: 'RuntimeDefault' },
        },
      }),
    ],
  ],
  [
    'a limit of exactly what is requested, in other units',
    { resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1000m', memory: '1024Mi' } } },
    (objects) => container(objects)['resources'].limits,
    { cpu: '1000m', memory: '1024Mi' },
  ],
  [
    'a limit without a request',
    { resources: { requests: null, limits: { cpu: 2, memory: '1G' } } },
    (objects) => container(objects)['resources'],
    { limits: { cpu: 2, memory: '1G' } },
  ],
  [
    'a constraint on zones that leaves it open what is spread',
    { topologySpreadConstraints: [ZONES], redis: { topologySpreadConstraints: [ZONES] } },
    pod,
    expect.objectContaining({ topologySpreadConstraints: [ofGateway(ZONES)] }),
  ],
  [
    'a constraint that says what it counts',
    { topologySpreadConstraints: [{ ...ZONES, labelSelector: { matchLabels: { app: 'all' } } }] },
    pod,
    expect.objectContaining({
      topologySpreadConstraints: [{ ...ZONES, labelSelector: { matchLabels: { app: 'all' } } }],
    }),
  ],
  [
    'nodes that are for nobody else, and a toleration for all',
    { nodeSelector: { pool: 'chat' }, tolerations: [{ operator: 'Exists' }] },
    pod,
    expect.objectContaining({ nodeSelector: { pool: 'chat' }, tolerations: [{ operator: 'Exists' }] }),
  ],
  [
    'an update in percent',
    { updateStrategy: { rollingUpdate: { maxSurge: '25%' } } },
    (objects) => find(objects, 'Deployment', 'r-crosspod')['spec'].strategy.rollingUpdate,
    { maxSurge: '25%', maxUnavailable: 0 },
  ],
  [
    'a balancer for some networks',
    { service: { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'] } },
    service,
    expect.objectContaining({ loadBalancerSourceRanges: ['10.0.0.0/8', 'fd00::/8'] }),
  ],
  [
    'a path that is public and given as well: once',
    {
      publicPaths: ['/ws', '/api/auth/guest'],
      ingress: {
        enabled: true,
        hosts: [{ host: '*.example.com', paths: [{ path: '/ws', pathType: 'Prefix' }, ...ONE_PATH] }],
      },
    },
    pathsOfIngress,
    ['/ws', '/api/auth/guest'],
  ],
  [
    'a Middleware beside that of the chart',
    {
      ingress: {
        enabled: true,
        preset: 'traefik',
        traefikObjects: true,
        annotations: { [MIDDLEWARES]: 'n-mine@kubernetescrd' },
      },
    },
    annotationsOfIngress,
    { [MIDDLEWARES]: 'n-mine@kubernetescrd,n-r-crosspod@kubernetescrd' },
  ],
  [
    'a Middleware and none of the chart',
    { ingress: { enabled: true, preset: 'traefik', annotations: { [MIDDLEWARES]: 'n-mine@kubernetescrd' } } },
    annotationsOfIngress,
    { [MIDDLEWARES]: 'n-mine@kubernetescrd' },
  ],
  [
    'a longer timeout than that of the preset',
    {
      ingress: {
        enabled: true,
        preset: 'ingress-nginx',
        annotations: { 'nginx.ingress.kubernetes.io/proxy-read-timeout': '7200' },
      },
    },
    annotationsOfIngress,
    expect.objectContaining({ 'nginx.ingress.kubernetes.io/proxy-read-timeout': '7200' }),
  ],
  [
    'an authority of one’s own, also for the test through the ingress',
    { ...CA, tests: { url: 'https://chat.internal/' } },
    volumesOfTest,
    { names: [['ca'], ['ca']], volumes: CA.extraVolumes },
  ],
  [
    'an authority of one’s own that the test does not need',
    CA,
    volumesOfTest,
    { names: [[]], volumes: undefined },
  ],
  ...[
    [
      ['values/traefik.yaml', 'values/production.yaml'],
      ['HorizontalPodAutoscaler', 'StatefulSet'],
    ],
    [['values/haproxy.yaml', 'values/production.yaml', 'values/nats.yaml'], ['HorizontalPodAutoscaler']],
    [
      ['values/ingress-nginx.yaml', 'values/production.yaml', 'values/redis-cluster.yaml'],
      ['HorizontalPodAutoscaler'],
    ],
    [
      ['values/nginx-f5.yaml', 'values/production.yaml', 'keda/values.yaml'],
      ['ScaledObject', 'StatefulSet'],
    ],
  ].map(
    ([names = [], parts]) =>
      [
        names.join(' and '),
        {},
        (objects: readonly KubernetesObject[]) =>
          (kinds(objects) as string[]).filter((kind) =>
            ['HorizontalPodAutoscaler', 'ScaledObject', 'StatefulSet'].includes(kind),
          ),
        expect.toSatisfy((found: string[]) => found.toSorted().join() === parts?.toSorted().join()),
        file(...names),
      ] as const,
  ),
];

const CASES = WRITTEN.map((one) => [one[0], one] as const);

test.each(CASES)('%s', async (_, [, values, read, expected, more = []]) => {
  expect(read(await render(values, more))).toEqual(expected);
});

test.each([
  ['chat.prod', 'chat.prod-crosspod'],
  ['2024-chat', '2024-chat-crosspod'],
])('a release %s needs another name for its objects', async (release, name) => {
  const { stderr } = await helm('template', release, CHART);
  expect(stderr).toContain(`fullnameOverride: from the release's name, objects would be named ${name}`);
  const { code, stdout } = await helm('template', release, CHART, '--set', 'fullnameOverride=chat');
  expect(code).toBe(0);
  expect(stdout).toContain(`app.kubernetes.io/instance: ${release}`);
});

test('notes tell of no page that the public is not let in to', async () => {
  const values = { ingress: { enabled: true, hosts: [{ host: 'chat.example.com', paths: ONE_PATH }] } };
  expect(await notes(values)).toContain('The chat page:\n  http://chat.example.com/');
  const text = await notes({ ...values, publicPaths: ['/ws'] });
  expect(text).toContain('ws://chat.example.com/ws');
  expect(text).not.toContain('http://chat.example.com/');
});
