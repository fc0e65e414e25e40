import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { find, type KubernetesObject, template } from './helm.ts';
import { filesOf, NAME, renderRedis, valuesOf } from './redis.ts';

const SELECTOR = {
  'app.kubernetes.io/name': 'crosspod',
  'app.kubernetes.io/instance': 'r',
  'app.kubernetes.io/component': 'redis',
};
const GATEWAY = { ...SELECTOR, 'app.kubernetes.io/component': 'gateway' };
const PORTS = [
  { name: 'redis', port: 6379, targetPort: 'redis', appProtocol: 'redis' },
  { name: 'sentinel', port: 26379, targetPort: 'sentinel', appProtocol: 'redis' },
];

async function statefulSet(redis: object = {}, others: object = {}): Promise<KubernetesObject> {
  return find(await renderRedis(redis, others), 'StatefulSet', NAME);
}

// oxlint-disable-next-line typescript/no-explicit-any
function container(set: KubernetesObject, name: string): any {
  const { containers } = set['spec'].template.spec as { containers: { name: string }[] };
  return containers.find((one) => one.name === name);
}

function secretEnv(name: string, key: string, secret = NAME): object {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

test('without redis.enabled nothing of Redis is rendered', async () => {
  const externalRedis = { url: 'redis://elsewhere:6379' };
  const objects = await renderRedis({ enabled: false }, { externalRedis });
  expect(objects.length).toBeGreaterThan(0);
  expect(objects.filter(({ metadata }) => metadata.name.startsWith(NAME))).toEqual([]);
});

test('three pods start in parallel, known by a name each that stays', async () => {
  const objects = await renderRedis();
  const { spec } = find(objects, 'StatefulSet', NAME);
  expect(spec).toMatchObject({
    replicas: 3,
    serviceName: NAME,
    podManagementPolicy: 'Parallel',
    minReadySeconds: 20,
    updateStrategy: { type: 'RollingUpdate' },
    selector: { matchLabels: SELECTOR },
  });
  expect(spec.template.metadata.labels).toEqual(SELECTOR);
  expect(find(objects, 'Service', NAME)['spec']).toEqual({
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: SELECTOR,
    ports: PORTS,
  });
  for (const pod of [`${NAME}-0`, `${NAME}-1`, `${NAME}-2`])
    expect(find(objects, 'Service', pod)['spec']).toEqual({
      type: 'ClusterIP',
      publishNotReadyAddresses: true,
      selector: { ...SELECTOR, 'statefulset.kubernetes.io/pod-name': pod },
      ports: PORTS,
    });
});

test('five pods are five Services, five peers and a quorum of three', async () => {
  const objects = await renderRedis({ replicas: 5 });
  expect(find(objects, 'StatefulSet', NAME)['spec'].replicas).toBe(5);
  expect(find(objects, 'Service', `${NAME}-4`)['spec'].ports).toEqual(PORTS);
  const { peers, settings } = filesOf(objects);
  expect(peers?.trim().split('\n')).toHaveLength(5);
  expect(settings).toMatch(/^QUORUM=3$/m);
});

test('pods know each other by the names of their Services, and Sentinels keep their ids', async () => {
  const { peers } = filesOf(await renderRedis());
  const expected = [0, 1, 2].map((ordinal) => {
    const id = createHash('sha1').update(`n/r/${ordinal}`).digest('hex');
    return `${ordinal} ${NAME}-${ordinal}.n.svc 6379 26379 ${id}`;
  });
  expect(peers?.trim().split('\n')).toEqual(expected);
});

test('the values of Redis and Sentinel reach their configuration', async () => {
  const { 'redis.conf': conf = '', settings = '' } = filesOf(await renderRedis());
  const lines = conf.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines).toEqual([
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory 256mb',
    'maxmemory-policy noeviction',
    'min-replicas-to-write 1',
    'min-replicas-max-lag 10',
    'repl-backlog-size 16mb',
    'shutdown-on-sigterm force',
    'repl-diskless-sync-delay 1',
  ]);
  expect(settings.split('\n').filter((line) => /^[A-Z]/.test(line))).toEqual([
    'REPLICAS=3',
    "BIND='* -::*'",
    'TLS=no',
    'APPENDONLY=yes',
    'MASTER_NAME=mymaster',
    'QUORUM=2',
    'DOWN_AFTER_MS=5000',
    'FAILOVER_TIMEOUT_MS=30000',
    'PARALLEL_SYNCS=1',
    'ANSWER_SECONDS=3',
    'TAKE_OVER_SECONDS=10',
    'BEGIN_SECONDS=30',
    'MASTER_PATIENCE_SECONDS=60',
    'HANDOVER_SECONDS=50',
  ]);
  const more = filesOf(await renderRedis({ extraConfig: 'timeout 300\nhz 20\n', appendonly: false }));
  expect(more['redis.conf']).toMatch(/\ntimeout 300\nhz 20\n$/);
  expect(more['redis.conf']).toMatch(/^appendonly no$/m);
  expect(more['settings']).toMatch(/^APPENDONLY=no$/m);
});

test('both containers run as nobody special, with a read-only root and no token', async () => {
  const set = await statefulSet();
  const { spec } = set['spec'].template;
  expect(spec).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 60,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
      seccompProfile: { type: 'RuntimeDefault' },
    },
  });
  for (const name of ['redis', 'sentinel'])
    expect(container(set, name)).toMatchObject({
      image: 'docker.io/library/redis:8.4.2',
      imagePullPolicy: 'IfNotPresent',
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    });
});

test('each container starts its script, with probes, preStop and a port of its own', async () => {
  const set = await statefulSet();
  const exec = (...words: string[]): object => ({ command: ['/bin/sh', ...words] });
  expect(container(set, 'redis')).toMatchObject({
    command: ['/bin/sh', '-c', expect.stringMatching(/exec \/bin\/sh "\$CONFIG_DIR\/redis-start\.sh"$/)],
    ports: [{ name: 'redis', containerPort: 6379 }],
    startupProbe: {
      exec: exec('/run/redis/config/health.sh', 'redis-live'),
      periodSeconds: 2,
      failureThreshold: 150,
    },
    livenessProbe: { exec: exec('/run/redis/config/health.sh', 'redis-live'), timeoutSeconds: 10 },
    readinessProbe: { exec: exec('/run/redis/config/health.sh', 'redis-ready'), timeoutSeconds: 5 },
    lifecycle: { preStop: { exec: exec('/run/redis/config/pre-stop.sh') } },
    resources: { limits: { memory: '512Mi' } },
  });
  const sentinel = container(set, 'sentinel');
  expect(sentinel).toMatchObject({
    command: ['/bin/sh', '-c', expect.stringMatching(/exec \/bin\/sh "\$CONFIG_DIR\/sentinel-start\.sh"$/)],
    ports: [{ name: 'sentinel', containerPort: 26379 }],
    startupProbe: { exec: exec('/run/redis/config/health.sh', 'sentinel-live') },
    livenessProbe: { exec: exec('/run/redis/config/health.sh', 'sentinel-live') },
    readinessProbe: { exec: exec('/run/redis/config/health.sh', 'sentinel-ready') },
    resources: { limits: { memory: '64Mi' } },
  });
  expect(sentinel.lifecycle).toBeUndefined();
});

test('passwords come by reference, and configuration files with them stay in memory', async () => {
  const set = await statefulSet();
  const shared = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'CONFIG_DIR', value: '/run/redis/config' },
    { name: 'DATA_DIR', value: '/data' },
    { name: 'RUN_DIR', value: '/run/redis' },
    { name: 'TLS_DIR', value: '/tls' },
    secretEnv('REPLICATION_PASSWORD', 'replication-password'),
    secretEnv('SENTINEL_PASSWORD', 'sentinel-password'),
  ];
  expect(container(set, 'redis').env).toEqual([...shared, secretEnv('CROSSPOD_PASSWORD', 'password')]);
  expect(container(set, 'sentinel').env).toEqual(shared);
  const run = (name: string): object => ({ name, emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } });
  expect(set['spec'].template.spec.volumes).toEqual([
    { name: 'config', configMap: { name: NAME, defaultMode: 0o555 } },
    run('run-redis'),
    run('run-sentinel'),
    run('hosts'),
  ]);
  const mounts = (name: string): object[] => [
    { name: 'config', mountPath: '/config', readOnly: true },
    { name: 'data', mountPath: '/data' },
    { name: `run-${name}`, mountPath: '/run/redis' },
    { name: 'hosts', mountPath: '/etc/hosts', subPath: 'hosts', readOnly: true },
  ];
  expect(container(set, 'redis').volumeMounts).toEqual(mounts('redis'));
  expect(container(set, 'sentinel').volumeMounts).toEqual(mounts('sentinel'));
});

test('data lives on a volume of each pod, or as long as the pod', async () => {
  const claim = (await statefulSet())['spec'].volumeClaimTemplates;
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  expect(claim).toEqual([{ metadata: { name: 'data', labels: SELECTOR }, spec }]);
  const classed = await statefulSet({ persistence: { storageClass: 'fast', size: '5Gi' } });
  expect(classed['spec'].volumeClaimTemplates[0].spec).toEqual({
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'fast',
    resources: { requests: { storage: '5Gi' } },
  });
  const without = await statefulSet({ persistence: { enabled: false } });
  expect(without['spec'].volumeClaimTemplates).toBeUndefined();
  expect(without['spec'].template.spec.volumes).toContainEqual({ name: 'data', emptyDir: {} });
});

test('pods keep to different nodes softly, strictly or as they are told', async () => {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: SELECTOR } };
  const affinityOf = async (redis: object): Promise<unknown> =>
    (await statefulSet(redis))['spec'].template.spec.affinity;
  expect(await affinityOf({})).toEqual({
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }],
    },
  });
  expect(await affinityOf({ antiAffinity: 'hard' })).toEqual({
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
  });
  expect(await affinityOf({ antiAffinity: 'none' })).toBeUndefined();
  const own = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } };
  expect(await affinityOf({ affinity: own })).toEqual(own);
});

test('where pods may run follows the values', async () => {
  const { spec } = (await statefulSet())['spec'].template;
  expect(spec.topologySpreadConstraints).toEqual([
    {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: SELECTOR },
    },
  ]);
  const given = {
    topologySpreadConstraints: [{ maxSkew: 2, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' }],
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'redis', operator: 'Exists' }],
    priorityClassName: 'high',
  };
  expect((await statefulSet(given))['spec'].template.spec).toMatchObject(given);
});

test('at most one pod is evicted at a time, and one that is not well never holds up a node', async () => {
  const objects = await renderRedis();
  expect(find(objects, 'PodDisruptionBudget', NAME)['spec']).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: SELECTOR },
  });
  const without = await renderRedis({ podDisruptionBudget: { enabled: false } });
  expect(() => find(without, 'PodDisruptionBudget', NAME)).toThrow('0 of PodDisruptionBudget');
});

test('only the gateway and other Redis pods get to Redis, and Redis to nobody but those and DNS', async () => {
  const objects = await renderRedis({}, { networkPolicy: { enabled: true } });
  const ports = [
    { protocol: 'TCP', port: 6379 },
    { protocol: 'TCP', port: 26379 },
  ];
  const dns = [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ];
  const [redis, gateway] = [SELECTOR, GATEWAY].map((matchLabels) => ({ podSelector: { matchLabels } }));
  expect(find(objects, 'NetworkPolicy', NAME)['spec']).toEqual({
    podSelector: { matchLabels: SELECTOR },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [gateway, redis], ports }],
    egress: [{ to: [redis], ports }, { ports: dns }],
  });
  const without = await renderRedis();
  expect(without.filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
});

test.each([
  [{ replicas: 4 }, /replicas/],
  [{ replicas: 1 }, /replicas/],
  [
    { sentinel: { quorum: 3 } },
    /redis\.sentinel\.quorum is 3: with redis\.replicas 3 it must be at least 2, and less than all/,
  ],
  [{ replicas: 5, sentinel: { quorum: 2 } }, /redis\.sentinel\.quorum is 2: with redis\.replicas 5/],
  [{ minReplicasToWrite: 3 }, /redis\.minReplicasToWrite is 3/],
  [{ tls: { enabled: true } }, /redis\.tls\.enabled needs redis\.tls\.existingSecret/],
  [{ terminationGracePeriodSeconds: 15 }, /terminationGracePeriodSeconds/],
  [{ sentinel: { masterPatienceSeconds: 280 } }, /redis\.startupProbe gives up after 300 s/],
  [{ maxmemory: '512mb' }, /redis\.maxmemory is 512mb: at most four fifths of .* which is 512Mi/],
  [{ maxmemory: '0' }, /redis\.maxmemory is 0/],
  [{ maxmemory: '1g', resources: { limits: { memory: '1.2G' } } }, /redis\.maxmemory is 1g/],
  [{ image: { tag: '' } }, /redis\.image\.tag: empty/],
  [{ auth: { existingSecret: 'mine', password: 'x' } }, /give existingSecret or passwords, not both/],
])('the values %j are refused', async (redis, why) => {
  const { code, stderr } = await template(valuesOf(redis));
  expect(code).not.toBe(0);
  expect(stderr).toMatch(why);
});

test.each([
  [{ maxmemory: '409mb' }, '409mb'],
  [{ maxmemory: '6gb', resources: { limits: { memory: '8Gi' } } }, '6gb'],
  [{ maxmemory: '800m', resources: { limits: { memory: '1e9' } } }, '800m'],
  // Whoever sets no limit says that there is enough.
  [{ maxmemory: '64gb', resources: { limits: { memory: null } } }, '64gb'],
])('maxmemory with room beside it is taken: %j', async (redis, maxmemory) => {
  expect(filesOf(await renderRedis(redis))['redis.conf']).toContain(`maxmemory ${maxmemory}\n`);
});
