import { expect, test } from 'vitest';
import { find, type KubernetesObject, render } from './helm.ts';

const NAME = '123';

const VALUES = {
  serviceAccount: { name: NAME },
  priorityClassName: NAME,
  secrets: { existingSecret: NAME },
  redis: { enabled: false },
  externalRedis: {
    sentinels: ['s:26379'],
    existingSecret: NAME,
    passwordKey: '1e3',
    sentinelPasswordKey: 'true',
    tls: { enabled: true, existingSecret: NAME, caKey: 'null' },
  },
  service: { type: 'LoadBalancer', loadBalancerClass: NAME },
  ingress: { enabled: true, className: NAME, cookie: { name: NAME }, tls: [{ secretName: NAME }] },
  httpRoute: { enabled: true, parentRefs: [{ name: NAME }], sessionPersistence: true },
  keda: { enabled: true, prometheus: { serverAddress: 'http://p', authenticationRef: NAME } },
  imagePullSecrets: [{ name: NAME }],
  networkPolicy: { enabled: true, extraEgress: [{ ports: [{ port: 6379 }] }] },
  monitoring: {
    serviceMonitor: { enabled: true },
    prometheusRule: { enabled: true },
    dashboard: { enabled: true },
  },
};

let objects: Promise<KubernetesObject[]> | undefined;

function all(): Promise<KubernetesObject[]> {
  objects ??= render(VALUES, ['--namespace', NAME]);
  return objects;
}

test('a namespace that looks like a number is text in every object', async () => {
  const others = [{}, { monitoring: { podMonitor: { enabled: true } }, autoscaling: { enabled: true } }];
  const rendered = await Promise.all(others.map((values) => render(values, ['--namespace', NAME])));
  const places = [...(await all()), ...rendered.flat()].map(
    ({ kind, metadata }) => [kind, metadata.namespace] as const,
  );
  expect(places.filter(([, namespace]) => namespace !== NAME)).toEqual([]);
  expect(new Set(places.map(([kind]) => kind)).size).toBeGreaterThan(14);
});

test('names that look like numbers are text', async () => {
  const spec = async (kind: string): Promise<KubernetesObject['spec']> =>
    find(await all(), kind, 'r-crosspod')['spec'];
  const pod = (await spec('Deployment')).template.spec;
  expect(pod).toMatchObject({ serviceAccountName: NAME, priorityClassName: NAME });
  expect(pod.imagePullSecrets).toEqual([{ name: NAME }]);
  expect(pod.volumes).toEqual([
    { name: 'redis-ca', secret: { secretName: NAME, items: [{ key: 'null', path: 'null' }] } },
  ]);
  const references = pod.containers[0].env.flatMap(
    ({ valueFrom }: { valueFrom?: { secretKeyRef: object } }) => valueFrom?.secretKeyRef ?? [],
  );
  expect(references).toEqual([
    ...['JWT_SECRET', 'API_KEYS'].map((key) => ({ name: NAME, key })),
    { name: NAME, key: '1e3' },
    { name: NAME, key: 'true' },
  ]);
  expect(find(await all(), 'ServiceAccount', NAME).metadata.name).toBe(NAME);
  expect((await spec('Service')).loadBalancerClass).toBe(NAME);
  expect((await spec('Ingress')).ingressClassName).toBe(NAME);
  expect((await spec('HTTPRoute')).rules[0].sessionPersistence.sessionName).toBe(NAME);
  expect((await spec('ScaledObject')).triggers[0].authenticationRef).toEqual({ name: NAME });
});

test('names of what NATS needs are text where they look like numbers', async () => {
  const gateway = async (externalNats: object): Promise<KubernetesObject['spec']> => {
    const rendered = await render({ redis: { enabled: false }, externalNats });
    return find(rendered, 'Deployment', 'r-crosspod')['spec'].template.spec;
  };
  const { volumes } = await gateway({
    servers: ['tls://n:4222'],
    existingSecret: NAME,
    credentialsKey: '1e3',
    tls: { existingSecret: NAME, caKey: 'null' },
  });
  expect(volumes).toEqual([
    { name: 'nats-ca', secret: { secretName: NAME, items: [{ key: 'null', path: 'null' }] } },
    { name: 'nats-credentials', secret: { secretName: NAME, items: [{ key: '1e3', path: '1e3' }] } },
  ]);
  const { containers } = await gateway({ existingSecret: NAME, urlKey: 'true' });
  expect(containers[0].env.at(-1)).toEqual({
    name: 'NATS_URL',
    valueFrom: { secretKeyRef: { name: NAME, key: 'true' } },
  });
});
