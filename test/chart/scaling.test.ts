import { describe, expect, test } from 'vitest';
import { deployed, DEPLOYMENTS, labels, selector } from './deployments.ts';
import { find, render, template } from './helm.ts';
import { parse } from 'yaml';
import { readFileSync } from 'node:fs';

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
    metrics: [byConnections('600000'), { type: 'Resource', resource: { name: 'cpu', target } }],
    behavior: BEHAVIOR,
  });
});

test('by default the HPA asks for nothing but connections', async () => {
  const { spec } = find(
    await deployed('long-names'),
    'HorizontalPodAutoscaler',
    'gateway-of-the-chat-of-the-whole-company',
  );
  expect(spec.metrics).toEqual([byConnections('6000')]);
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
    fallback: { failureThreshold: 3, replicas: 4, behavior: 'currentReplicasIfHigher' },
    advanced: { horizontalPodAutoscalerConfig: { behavior: BEHAVIOR } },
    triggers: [
      {
        type: 'prometheus',
        metricType: 'AverageValue',
        metadata: {
          serverAddress: 'https://prometheus.monitoring.svc:9090',
          query: `sum(max by (pod) (realtime_connections_total{${pods}}))`,
          threshold: '600000',
          ignoreNullValues: 'false',
        },
        authenticationRef: { name: 'prometheus' },
      },
    ],
  });
});

test('an autoscaler asks also for what is given', async () => {
  const metrics = [{ type: 'External', external: { metric: { name: 'rooms' } } }];
  const hpa = find(
    await render({ autoscaling: { enabled: true, metrics } }),
    'HorizontalPodAutoscaler',
    'r-crosspod',
  );
  expect(hpa['spec'].metrics).toEqual([byConnections('6000'), ...metrics]);
  const triggers = [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } }];
  const keda = { enabled: true, prometheus: { serverAddress: 'http://p' }, triggers };
  const { spec } = find(await render({ keda }), 'ScaledObject', 'r-crosspod');
  expect(spec.triggers.slice(1)).toEqual(triggers);
});

test.each([
  [2, 6059],
  [3, 6817],
  [10, 8263],
])(
  'with %d full pods and one that does not start the controller adds others',
  async (minReplicas, targetConnections) => {
    const autoscaling = { enabled: true, minReplicas, maxReplicas: 20, targetConnections };
    expect((await template({ autoscaling })).stderr).toBe('');
    // As Kubernetes counts: the one that does not start has no connections, and up to a tenth too many is near enough.
    expect((minReplicas * 10_000) / (minReplicas + 1) / targetConnections).toBeGreaterThan(1.1);
    const more = { autoscaling: { ...autoscaling, targetConnections: targetConnections + 2 } };
    expect((await template(more)).stderr).toContain('autoscaling.targetConnections: must be at most');
  },
);

test('the values for the public look at CPU beside connections, of a core that is asked for', async () => {
  const file = new URL('../../k8s/values/production.yaml', import.meta.url);
  const values = parse(readFileSync(file, 'utf8'));
  expect(values.autoscaling.targetCPUUtilizationPercentage).toBe(50);
  expect(values.resources.requests.cpu).toBe('1');
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
