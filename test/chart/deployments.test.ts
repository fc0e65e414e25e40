import { describe, expect, test } from 'vitest';
import { deployed, DEPLOYMENTS, labels, valuesFor } from './deployments.ts';
import { lint, type KubernetesObject, notes } from './helm.ts';
import { dangling } from './references.ts';

const GATEWAY = [
  'Deployment/r-crosspod',
  'Pod/r-crosspod-test',
  'PodDisruptionBudget/r-crosspod',
  'Service/r-crosspod',
  'Service/r-crosspod-ops',
  'ServiceAccount/r-crosspod',
];
const REDIS = [
  'ConfigMap/r-crosspod-redis',
  'PodDisruptionBudget/r-crosspod-redis',
  'Secret/r-crosspod-redis',
  'Service/r-crosspod-redis',
  'Service/r-crosspod-redis-0',
  'Service/r-crosspod-redis-1',
  'Service/r-crosspod-redis-2',
  'StatefulSet/r-crosspod-redis',
];
const ALL = [...GATEWAY, ...REDIS];
const LONG = 'gateway-of-the-chat-of-the-whole-company';

/** Kind and name of every object, so that none comes or goes without being noticed. */
const OBJECTS: Readonly<Record<string, readonly string[]>> = {
  'careful-updates': ALL,
  defaults: ALL,
  'external-cluster': [...GATEWAY, 'NetworkPolicy/r-crosspod'],
  'external-nats': [...GATEWAY, 'NetworkPolicy/r-crosspod'],
  'external-nats-login': GATEWAY,
  'external-redis': GATEWAY,
  'external-redis-url': [...GATEWAY, 'NetworkPolicy/r-crosspod', 'Secret/r-crosspod'],
  'external-sentinel': [...GATEWAY, 'Secret/r-crosspod'],
  'gateway-api': [...ALL, 'HTTPRoute/r-crosspod'],
  haproxy: [...ALL, 'Ingress/r-crosspod', 'Secret/r-crosspod'],
  'hooks-module': ALL,
  'ingress-nginx': [...ALL, 'Ingress/r-crosspod'],
  'ingress-plain': [...ALL, 'Ingress/r-crosspod'],
  keda: [...ALL, 'ScaledObject/r-crosspod'],
  'load-balancer': ALL,
  'locked-down': [...ALL, 'NetworkPolicy/r-crosspod', 'NetworkPolicy/r-crosspod-redis', 'Secret/r-crosspod'],
  'long-names': [
    ...ALL.map((one) => one.replace('r-crosspod', LONG)).filter((one) => !one.startsWith('ServiceAccount')),
    'ServiceAccount/an-account-of-our-own',
    `Service/${LONG}-redis-3`,
    `Service/${LONG}-redis-4`,
    `ServiceMonitor/${LONG}`,
    `ConfigMap/${LONG}-dashboard`,
    `NetworkPolicy/${LONG}`,
    `NetworkPolicy/${LONG}-redis`,
    `HorizontalPodAutoscaler/${LONG}`,
  ],
  'nginx-f5': [...ALL, 'Ingress/r-crosspod'],
  'node-port': ALL,
  'own-secret': ALL,
  'pod-monitor': [...ALL, 'PodMonitor/r-crosspod'],
  'production-traefik': [
    ...ALL.filter((one) => one !== 'Secret/r-crosspod-redis'),
    'Ingress/r-crosspod',
    'HorizontalPodAutoscaler/r-crosspod',
  ],
  'prometheus-operator': [
    ...ALL,
    'ServiceMonitor/r-crosspod',
    'PrometheusRule/r-crosspod',
    'ConfigMap/r-crosspod-dashboard',
  ],
  'single-pod': ['Deployment/r-crosspod', 'Service/r-crosspod', 'Service/r-crosspod-ops'],
};

function idOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}

/** Everything that the values name as a secret. */
function secretsOf(values: ReturnType<typeof valuesFor>): string[] {
  const { JWT_SECRET, API_KEYS, WEBHOOK_SECRET } = values?.secrets ?? {};
  const { password, sentinelPassword } = values?.externalRedis ?? {};
  return [JWT_SECRET, API_KEYS, WEBHOOK_SECRET, password, sentinelPassword].filter(
    (one) => one !== undefined,
  );
}

test('each file of values has its list of objects here', () => {
  expect(Object.keys(OBJECTS).sort()).toEqual(DEPLOYMENTS);
});

test.each([
  ['Deployment/r-crosspod', 'HPA: no Deployment r-crosspod'],
  ['Service/r-crosspod', 'Ingress: no Service r-crosspod'],
  ['Service/r-crosspod-redis', 'r-crosspod-redis: no Service r-crosspod-redis'],
  ['ServiceAccount/r-crosspod', 'r-crosspod: no ServiceAccount r-crosspod'],
  ['StatefulSet/r-crosspod-redis', expect.stringMatching(/^PDB: no pod has/)],
])('without %s it would be noticed that something refers to it', async (missing, fault) => {
  const objects = await deployed('production-traefik');
  const others = objects.filter((object) => idOf(object) !== missing);
  expect(dangling(others, valuesFor('production-traefik'))).toContainEqual(fault);
});

describe.each(DEPLOYMENTS)('the deployment %s', (deployment) => {
  test('has nothing that helm lint --strict finds fault with', async () => {
    const { code, stdout } = await lint(valuesFor(deployment) ?? {});
    expect({ code, stdout }).toMatchObject({ code: 0 });
  });

  test('can be installed, and says how to go on', async () => {
    const text = await notes(valuesFor(deployment) ?? {});
    expect(text).toContain('rollout status deployment/');
    expect(text).not.toMatch(/<no value>|<nil>|%!/);
  });

  test('is of the objects that it needs and no others', async () => {
    const ids = (await deployed(deployment)).map(idOf);
    expect(ids.sort()).toEqual([...(OBJECTS[deployment] ?? [])].sort());
  });

  test('refers to nothing that is not there', async () => {
    expect(dangling(await deployed(deployment), valuesFor(deployment) ?? {})).toEqual([]);
  });

  test('names, places and labels each object as Kubernetes and Helm ask for', async () => {
    const { nameOverride: name, commonLabels = {} } = valuesFor(deployment) ?? {};
    for (const { metadata } of await deployed(deployment)) {
      expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
      expect(metadata.namespace).toBe('n');
      const component = metadata.labels?.['app.kubernetes.io/component'] ?? 'none';
      expect(['gateway', 'ops', 'redis', 'test', 'dashboard']).toContain(component);
      expect(metadata.labels).toMatchObject(labels(component, name));
      expect(Object.keys(metadata.labels ?? {})).toEqual(expect.arrayContaining(Object.keys(commonLabels)));
      for (const value of Object.values(metadata.labels ?? {})) expect(value).toMatch(/^[-\w.]{1,63}$/);
    }
  });

  test('shows no number as a float and no value as a blank', async () => {
    const text = JSON.stringify(await deployed(deployment));
    expect(text).not.toMatch(/\d(\.\d+)?e\+\d\d|<no value>|<nil>|%!/);
  });

  test('keeps what is secret in Secrets', async () => {
    const others = (await deployed(deployment)).filter(({ kind }) => kind !== 'Secret');
    for (const secret of secretsOf(valuesFor(deployment)))
      expect(JSON.stringify(others)).not.toContain(secret);
  });
});
