import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { deployed, labels, selector } from './deployments.ts';
import { CHART, find, helm, type KubernetesObject, render } from './helm.ts';

async function service(deployment: string, name = 'r-crosspod'): Promise<ReturnType<typeof find>> {
  return find(await deployed(deployment), 'Service', name);
}

const HTTP = { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' };
const OPS = { name: 'ops', port: 9090, targetPort: 'ops', appProtocol: 'http' };

test('clients reach ready pods on port 80, inside the cluster', async () => {
  const { metadata, spec } = await service('defaults');
  expect(metadata).toEqual({ name: 'r-crosspod', namespace: 'n', labels: labels('gateway') });
  expect(spec).toEqual({ type: 'ClusterIP', selector: selector('gateway'), ports: [HTTP] });
});

test('operators reach every pod on a Service of its own that is never outside the cluster', async () => {
  const { metadata, spec } = await service('load-balancer', 'r-crosspod-ops');
  expect(metadata).toEqual({ name: 'r-crosspod-ops', namespace: 'n', labels: labels('ops') });
  expect(spec).toEqual({
    type: 'ClusterIP',
    publishNotReadyAddresses: true,
    selector: selector('gateway'),
    ports: [OPS],
  });
});

test('a port of the nodes is the one that was asked for', async () => {
  expect((await service('node-port'))['spec']).toEqual({
    type: 'NodePort',
    externalTrafficPolicy: 'Local',
    selector: selector('gateway'),
    ports: [{ ...HTTP, port: 8080, nodePort: 30_080 }],
  });
  const ops = await service('node-port', 'r-crosspod-ops');
  expect(ops.metadata.annotations).toEqual({ 'example.com/owner': 'operations' });
  expect(ops['spec'].ports).toEqual([{ ...OPS, port: 9100 }]);
});

test('a load balancer is of the class and for the addresses that were asked for', async () => {
  const { metadata, spec } = await service('load-balancer');
  expect(metadata.annotations).toEqual({
    'service.beta.kubernetes.io/aws-load-balancer-type': 'external',
  });
  expect(spec).toEqual({
    type: 'LoadBalancer',
    loadBalancerClass: 'service.k8s.aws/nlb',
    loadBalancerSourceRanges: ['198.51.100.0/24'],
    externalTrafficPolicy: 'Cluster',
    selector: selector('gateway'),
    ports: [{ ...HTTP, port: 443 }],
  });
});

test('Traefik takes the cookie from the Service; what is given wins', async () => {
  const cookie = 'traefik.ingress.kubernetes.io/service.sticky.cookie';
  expect((await service('production-traefik')).metadata.annotations).toEqual({
    [cookie]: 'true',
    [`${cookie}.name`]: 'crosspod',
    [`${cookie}.maxage`]: '60',
    [`${cookie}.httponly`]: 'true',
    [`${cookie}.samesite`]: 'lax',
  });
  const objects = await render({
    ingress: { enabled: true, preset: 'traefik', cookie: { name: 'pod', maxAgeSeconds: 3600 } },
    service: { annotations: { [`${cookie}.samesite`]: 'strict' } },
  });
  expect(find(objects, 'Service', 'r-crosspod').metadata.annotations).toMatchObject({
    [`${cookie}.name`]: 'pod',
    [`${cookie}.maxage`]: '3600',
    [`${cookie}.samesite`]: 'strict',
  });
});

test('the account of the pods has no token', async () => {
  const objects = await deployed('defaults');
  const account = find(objects, 'ServiceAccount', 'r-crosspod');
  expect(account).toEqual({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'r-crosspod', namespace: 'n', labels: labels('gateway') },
    automountServiceAccountToken: false,
  });
});

test('the account may have a name and a role of the cloud provider', async () => {
  const objects = await deployed('long-names');
  const account = find(objects, 'ServiceAccount', 'an-account-of-our-own');
  expect(account.metadata.annotations).toEqual({
    'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/crosspod',
  });
});

test('a name that is given is cut, so that what follows it still fits', async () => {
  const objects = await deployed('long-names');
  const { spec } = find(objects, 'Service', 'gateway-of-the-chat-of-the-whole-company');
  const name = 'gateway-of-the-chat-of-the-whole-company-and-its-daughters-abc';
  expect(spec.selector).toEqual(selector('gateway', name));
});

test.each([
  ['chat', '', 'chat-crosspod'],
  ['crosspod', '', 'crosspod'],
  ['my-crosspod', '', 'my-crosspod'],
  ['chat', 'nameOverride=gateway', 'chat-gateway'],
  ['chat', 'fullnameOverride=live', 'live'],
  ['a-release-whose-name-is-as-long-as-helm-lets-it-be-ab', '', 'a-release-whose-name-is-as-long-as-helm'],
])('release %s with %j is called %s', async (release, override, name) => {
  const set = ['replicaCount=1', 'redis.enabled=false', override].filter((one) => one !== '').join();
  const only = ['--show-only', 'templates/deployment.yaml'];
  const { stdout } = await helm('template', release, CHART, '--set', set, ...only);
  const { metadata, spec } = parse(stdout) as KubernetesObject;
  expect(metadata.name).toBe(name);
  expect(spec.selector.matchLabels).toMatchObject({ 'app.kubernetes.io/instance': release });
});
