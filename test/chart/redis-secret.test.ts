import { expect, test } from 'vitest';
import { find, type KubernetesObject } from './helm.ts';
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

function checksums(objects: readonly KubernetesObject[]): Record<string, string> {
  return find(objects, 'StatefulSet', NAME)['spec'].template.metadata.annotations as Record<string, string>;
}

test('passwords that nobody gives are generated, each another, and outlive the release', async () => {
  const secret = find(await renderRedis(), 'Secret', NAME);
  expect(secret.metadata.annotations).toBeUndefined();
  const data = secret['data'] as Record<string, string>;
  expect(Object.keys(data).toSorted()).toEqual(['password', 'replication-password', 'sentinel-password']);
  const passwords = Object.values(data).map((text) => Buffer.from(text, 'base64').toString());
  expect(new Set(passwords).size).toBe(3);
  for (const password of passwords) expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
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
  expect(find(objects, 'ConfigMap', 'r-crosspod')['data']).toMatchObject({
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
  const [first, again, conf, auth] = await Promise.all([
    renderRedis(),
    // Generated passwords differ from one rendering to the next.
    renderRedis({}, { commonLabels: { team: 'x' } }),
    renderRedis({ maxmemory: '1gb' }),
    renderRedis({ auth: { password: 'x' } }),
  ]);
  expect(checksums(again)).toEqual(checksums(first));
  expect(checksums(conf)['checksum/config']).not.toBe(checksums(first)['checksum/config']);
  expect(checksums(auth)['checksum/auth']).not.toBe(checksums(first)['checksum/auth']);
  expect(checksums(auth)['checksum/config']).toBe(checksums(first)['checksum/config']);
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
