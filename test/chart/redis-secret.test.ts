import { expect, test } from 'vitest';
import { startCluster } from './cluster.ts';
import { find, type KubernetesObject, render, settingsOf } from './helm.ts';
import { filesOf, NAME, renderRedis } from './redis.ts';

interface Container {
  readonly name: string;
  readonly env: readonly { name: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } }[];
}

/** Where each variable of the containers of these pods comes from: `SECRET/KEY` by its name. */
function secretsOf(workload: KubernetesObject): Record<string, string> {
  const { containers } = workload['spec'].template.spec as { containers: readonly Container[] };
  const found = containers.flatMap(({ env }) =>
    env.flatMap(({ name, valueFrom }) => {
      const reference = valueFrom?.secretKeyRef;
      return reference === undefined ? [] : [[name, `${reference.name}/${reference.key}`] as const];
    }),
  );
  return Object.fromEntries(found);
}

interface PodTemplate {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** What a pod of Redis is made of: where it changes, Kubernetes replaces all of them. */
function podsOf(objects: readonly KubernetesObject[]): PodTemplate {
  return find(objects, 'StatefulSet', NAME)['spec'].template as PodTemplate;
}

/** The same pods with the other ones' annotation of that name, which is another one there. */
function withOther(annotation: string, pods: PodTemplate, others: PodTemplate): PodTemplate {
  const text = others.metadata.annotations[annotation];
  expect(text).not.toBe(pods.metadata.annotations[annotation]);
  const annotations = { ...pods.metadata.annotations, [annotation]: text as string };
  return { ...pods, metadata: { ...pods.metadata, annotations } };
}

test('passwords that nobody gives are generated, each another, and go with the release', async () => {
  const secret = find(await renderRedis(), 'Secret', NAME);
  expect(secret.metadata.annotations).toBeUndefined();
  const data = secret['data'] as Record<string, string>;
  expect(Object.keys(data).toSorted()).toEqual(['password', 'replication-password', 'sentinel-password']);
  const passwords = Object.values(data).map((text) => Buffer.from(text, 'base64').toString());
  expect(new Set(passwords).size).toBe(3);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
});

test('passwords are kept over upgrades: what the cluster has is taken', async () => {
  const known = { password: 'a', 'sentinel-password': 'b', 'replication-password': 'c' };
  const data = Object.fromEntries(Object.entries(known).map(([key, text]) => [key, btoa(text)]));
  const metadata = { name: NAME, namespace: 'n' };
  const cluster = await startCluster([{ apiVersion: 'v1', kind: 'Secret', metadata, data }]);
  try {
    const inCluster = ['--dry-run=server', '--is-upgrade', '--disable-openapi-validation'];
    inCluster.push('--kubeconfig', cluster.kubeconfig);
    expect(find(await render({}, inCluster), 'Secret', NAME)['data']).toEqual(data);
    const some = await render({ redis: { auth: { password: 'given' } } }, inCluster);
    expect(find(some, 'Secret', NAME)['data']).toEqual({ ...data, password: btoa('given') });
  } finally {
    cluster.stop();
  }
});

test('passwords that are given are taken', async () => {
  const auth = { password: 'a', sentinelPassword: 'b', replicationPassword: 'c"\\ é' };
  const secret = find(await renderRedis({ auth }), 'Secret', NAME);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  expect(secret['data']).toEqual({
    password: base64('a'),
    'sentinel-password': base64('b'),
    'replication-password': base64('c"\\ é'),
  });
});

test('a Secret of your own is used under its own keys, and none is made', async () => {
  const keys = { passwordKey: 'p', sentinelPasswordKey: 's', replicationPasswordKey: 'r' };
  const objects = await renderRedis({ auth: { existingSecret: 'mine', ...keys } });
  expect(() => find(objects, 'Secret', NAME)).toThrow('0 of Secret');
  expect(secretsOf(find(objects, 'StatefulSet', NAME))).toEqual({
    REPLICATION_PASSWORD: 'mine/r',
    SENTINEL_PASSWORD: 'mine/s',
    CROSSPOD_PASSWORD: 'mine/p',
  });
  expect(secretsOf(find(objects, 'Deployment', 'r-crosspod'))).toMatchObject({
    REDIS_PASSWORD: 'mine/p',
    REDIS_SENTINEL_PASSWORD: 'mine/s',
  });
});

test('the gateway is told all Sentinels, whom to come as, and its passwords', async () => {
  const objects = await renderRedis();
  expect(settingsOf(objects)).toMatchObject({
    REDIS_SENTINELS: `${NAME}-0.n.svc:26379,${NAME}-1.n.svc:26379,${NAME}-2.n.svc:26379`,
    REDIS_SENTINEL_MASTER: 'mymaster',
    REDIS_USERNAME: 'crosspod',
  });
  expect(secretsOf(find(objects, 'Deployment', 'r-crosspod'))).toMatchObject({
    REDIS_PASSWORD: `${NAME}/password`,
    REDIS_SENTINEL_PASSWORD: `${NAME}/sentinel-password`,
  });
});

test('pods restart for another configuration or password, and for nothing else', async () => {
  // Generated passwords differ from one rendering to the next.
  const others = { image: { tag: 'x' }, settings: { HISTORY_SIZE: 5 }, secrets: { JWT_SECRET: 'x' } };
  const [first, again, conf, auth] = (
    await Promise.all([
      renderRedis(),
      renderRedis({ podDisruptionBudget: { enabled: false }, minReadySeconds: 30 }, others),
      renderRedis({ maxmemory: '300mb' }),
      renderRedis({ auth: { password: 'x' } }),
    ])
  ).map(podsOf) as [PodTemplate, PodTemplate, PodTemplate, PodTemplate];
  expect(again).toEqual(first);
  expect(conf).toEqual(withOther('checksum/config', first, conf));
  expect(auth).toEqual(withOther('checksum/auth', first, auth));
});

test('with TLS the certificate is mounted into both containers', async () => {
  const objects = await renderRedis({ tls: { enabled: true, existingSecret: 'certificate' } });
  expect(filesOf(objects)['settings']).toMatch(/^TLS=yes$/m);
  const { spec } = find(objects, 'StatefulSet', NAME)['spec'].template;
  const secret = { secretName: 'certificate', defaultMode: 0o440 };
  expect(spec.volumes).toContainEqual({ name: 'tls', secret });
  for (const { volumeMounts } of spec.containers)
    expect(volumeMounts).toContainEqual({ name: 'tls', mountPath: '/tls', readOnly: true });
});
