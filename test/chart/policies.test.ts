import { expect, test } from 'vitest';
import { deployed, labels, selector } from './deployments.ts';
import { find, render } from './helm.ts';

const DNS = {
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};
const REDIS = {
  ports: [{ port: 6379 }, { port: 26_379 }],
  to: [{ podSelector: { matchLabels: selector('redis') } }],
};

test('the policy lets in clients, operators and helm test, and out to DNS, Redis and what is named', async () => {
  const policy = find(await deployed('locked-down'), 'NetworkPolicy', 'r-crosspod');
  expect(policy).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'r-crosspod', namespace: 'n', labels: labels('gateway') },
    spec: {
      podSelector: { matchLabels: selector('gateway') },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          ports: [{ port: 'http' }],
          from: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'traefik' } } },
            { ipBlock: { cidr: '10.0.0.0/8' } },
            { podSelector: { matchLabels: selector('test') } },
          ],
        },
        {
          ports: [{ port: 'ops' }],
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        },
      ],
      egress: [DNS, REDIS, { to: [{ ipBlock: { cidr: '203.0.113.7/32' } }], ports: [{ port: 443 }] }],
    },
  });
});

test('without names, anybody is a client and any pod an operator', async () => {
  const { spec } = find(await render({ networkPolicy: { enabled: true } }), 'NetworkPolicy', 'r-crosspod');
  expect(spec.ingress).toEqual([
    { ports: [{ port: 'http' }] },
    { ports: [{ port: 'ops' }], from: [{ namespaceSelector: {} }] },
  ]);
  expect(spec.egress).toEqual([DNS, REDIS]);
});

test('without the chart’s Redis the policy leads to none', async () => {
  const values = { networkPolicy: { enabled: true }, redis: { enabled: false }, replicaCount: 1 };
  const { spec } = find(await render(values), 'NetworkPolicy', 'r-crosspod');
  expect(spec.egress).toEqual([DNS]);
});

test.each([
  ['external-cluster', '10.1.2.0/24', 6379],
  ['external-nats', '10.1.3.0/24', 4222],
])('in %s the policy leads where the values say', async (deployment, cidr, port) => {
  const { spec } = find(await deployed(deployment), 'NetworkPolicy', 'r-crosspod');
  expect(spec.egress).toEqual([DNS, { to: [{ ipBlock: { cidr } }], ports: [{ port }] }]);
});

test('the policy is about the ports by which the pods are reached', async () => {
  const objects = await deployed('locked-down');
  const ports = find(objects, 'Deployment', 'r-crosspod')['spec'].template.spec.containers[0].ports;
  const named = find(objects, 'NetworkPolicy', 'r-crosspod')['spec'].ingress.flatMap(
    (rule: { ports: { port: string }[] }) => rule.ports.map(({ port }) => port),
  );
  expect(named).toEqual(ports.map(({ name }: { name: string }) => name));
});
