import { describe, expect, test } from 'vitest';
import { deployed, DEPLOYMENTS, labels, selector } from './deployments.ts';
import { find, render } from './helm.ts';

const BEHAVIOR = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 30 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 600,
    selectPolicy: 'Min',
    policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }],
  },
};

function byConnections(averageValue: string): object {
  const metric = { name: 'realtime_connections_total' };
  return { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue } } };
}

test('the HPA adds pods by their connections and, where asked, by their CPU', async () => {
  const { apiVersion, metadata, spec } = find(
    await deployed('production-traefik'),
    'HorizontalPodAutoscaler',
    'r-crosspod',
  );
  expect(apiVersion).toBe('autoscaling/v2');
  expect(metadata.labels).toEqual({ ...labels('gateway'), team: 'realtime' });
  const target = { type: 'Utilization', averageUtilization: 70 };
  expect(spec).toEqual({
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'r-crosspod' },
    minReplicas: 3,
    maxReplicas: 30,
    metrics: [byConnections('1000000'), { type: 'Resource', resource: { name: 'cpu', target } }],
    behavior: BEHAVIOR,
  });
});

test('by default the HPA asks for nothing but connections', async () => {
  const { spec } = find(
    await deployed('long-names'),
    'HorizontalPodAutoscaler',
    'gateway-of-the-chat-of-the-whole-company',
  );
  expect(spec.metrics).toEqual([byConnections('7000')]);
  expect([spec.minReplicas, spec.maxReplicas]).toEqual([2, 10]);
});

test('KEDA asks Prometheus for the connections of these pods, and of no others', async () => {
  const { apiVersion, spec } = find(await deployed('keda'), 'ScaledObject', 'r-crosspod');
  expect(apiVersion).toBe('keda.sh/v1alpha1');
  const pods = 'namespace="n",pod=~"r-crosspod-[a-z0-9]+-[a-z0-9]{5}"';
  expect(spec).toEqual({
    scaleTargetRef: { name: 'r-crosspod' },
    minReplicaCount: 3,
    maxReplicaCount: 20,
    pollingInterval: 15,
    fallback: { failureThreshold: 3, replicas: 4 },
    advanced: { horizontalPodAutoscalerConfig: { behavior: BEHAVIOR } },
    triggers: [
      {
        type: 'prometheus',
        metricType: 'AverageValue',
        metadata: {
          serverAddress: 'https://prometheus.monitoring.svc:9090',
          query: `sum(max by (pod) (realtime_connections_total{${pods}}))`,
          threshold: '900000',
          ignoreNullValues: 'false',
        },
        authenticationRef: { name: 'prometheus' },
      },
    ],
  });
});

test.each([
  ['r-crosspod-6d5f8c9b7-x2zvk', true],
  ['r-crosspod-redis-0', false],
  ['r-crosspod-chat-6d5f8c9b7-x2zvk', false],
  ['another-r-crosspod-6d5f8c9b7-x2zvk', false],
])('whether %s is a pod of the gateway r-crosspod: %s', async (pod, expected) => {
  const { spec } = find(await deployed('keda'), 'ScaledObject', 'r-crosspod');
  const [, pattern = ''] = /pod=~"([^"]+)"/.exec(spec.triggers[0].metadata.query) ?? [];
  // As Prometheus reads it: from the beginning to the end.
  expect(new RegExp(`^(?:${pattern})$`).test(pod)).toBe(expected);
});

test('a node is drained of one pod after the other, and not held up by one that never gets ready', async () => {
  const { apiVersion, spec } = find(await deployed('defaults'), 'PodDisruptionBudget', 'r-crosspod');
  expect(apiVersion).toBe('policy/v1');
  expect(spec).toEqual({
    maxUnavailable: 1,
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: selector('gateway') },
  });
});

test('a node is drained only while a share of the pods is left, where that is asked for', async () => {
  const { spec } = find(await deployed('careful-updates'), 'PodDisruptionBudget', 'r-crosspod');
  expect(spec).toEqual({
    minAvailable: '75%',
    unhealthyPodEvictionPolicy: 'AlwaysAllow',
    selector: { matchLabels: selector('gateway') },
  });
});

test('minAvailable: 0 is a number as others are', async () => {
  const objects = await render({ podDisruptionBudget: { minAvailable: 0 } });
  expect(find(objects, 'PodDisruptionBudget', 'r-crosspod')['spec']).toMatchObject({ minAvailable: 0 });
});

describe.each(DEPLOYMENTS)('the deployment %s', (deployment) => {
  test('has one bound on disruptions where it has a budget', async () => {
    const budgets = (await deployed(deployment)).filter(({ kind }) => kind === 'PodDisruptionBudget');
    for (const { spec } of budgets)
      expect([spec.minAvailable, spec.maxUnavailable].filter((bound) => bound !== undefined)).toHaveLength(1);
  });
});
