import { afterEach, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';
import { CHART, find, helm, type KubernetesObject, type Ran, template } from './helm.ts';
import { REFUSED_IN_CLUSTER } from './refused-gateway.ts';
import { parseAllDocuments } from 'yaml';

const clusters: Cluster[] = [];

afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.stop();
});

/** What an upgrade would apply where there are these objects. */
async function upgrade(objects: readonly KubernetesObject[], values: object): Promise<Ran> {
  const cluster = await startCluster(objects);
  clusters.push(cluster);
  const inCluster = ['--dry-run=server', '--is-upgrade', '--disable-openapi-validation'];
  return template(values, [...inCluster, '--kubeconfig', cluster.kubeconfig]);
}

function secret(data: Record<string, string>): KubernetesObject {
  const encoded = Object.entries(data).map(([key, text]) => [key, btoa(text)]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'mine', namespace: 'n' },
    data: Object.fromEntries(encoded),
  };
}

describe('a Secret of one’s own', () => {
  const values = { secrets: { existingSecret: 'mine' } };

  test('that lacks a key is refused before anything is applied', async () => {
    const { code, stderr } = await upgrade([secret({ JWT_SECRET: 's', EMPTY: 'e' })], values);
    expect(code).not.toBe(0);
    expect(stderr).toContain(REFUSED_IN_CLUSTER.noKey);
    const empty = await upgrade([secret({ JWT_SECRET: 's', EMPTY: 'e', API_KEYS: '' })], values);
    expect(empty.stderr).toContain('has no API_KEYS, or an empty one');
  });

  test('that has all of them, more than them, or is not there yet, is not', async () => {
    const all = { JWT_SECRET: 's', API_KEYS: 'k' };
    const named = { existingSecret: 'mine', existingSecretKeys: ['JWT_SECRET'] };
    for (const [objects, given] of [
      [[secret(all)], values],
      [[secret({ ...all, more: 'x' })], values],
      [[], values],
      [[secret({ JWT_SECRET: 's' })], { secrets: named }],
      [[secret({ jwt: 's' })], { secrets: { ...named, existingSecretKeyNames: { JWT_SECRET: 'jwt' } } }],
    ] as const)
      expect(await upgrade(objects, given)).toMatchObject({ code: 0, stderr: '' });
  });
});

function owned(kind: string, apiVersion: string, name: string, release: string): KubernetesObject {
  const annotations = { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': 'n' };
  const helms = { 'app.kubernetes.io/managed-by': 'Helm' };
  return { apiVersion, kind, metadata: { name, namespace: 'n', annotations, labels: helms } };
}

describe('a release whose objects would have the names of another one’s', () => {
  test.each([
    ['Service', 'v1', 'r-crosspod', 'r-crosspod'],
    ['Deployment', 'apps/v1', 'r-crosspod', 'r-crosspod'],
    ['Service', 'v1', 'r-crosspod-redis', 'r-crosspod-redis'],
    ['Service', 'v1', 'r-crosspod-ops', 'r-crosspod-ops'],
    ['StatefulSet', 'apps/v1', 'r-crosspod-redis', 'crosspod-redis'],
  ])('is refused: %s %s %s of %s', async (kind, apiVersion, name, release) => {
    const { code, stderr } = await upgrade([owned(kind, apiVersion, name, release)], {});
    expect(code).not.toBe(0);
    expect(stderr).toContain(`fullnameOverride: the release ${release} already has a ${kind} ${name}`);
    if (release === 'r-crosspod' && kind === 'Service') expect(stderr).toContain(REFUSED_IN_CLUSTER.sameName);
  });

  test('its own are no others', async () => {
    const objects = [owned('Service', 'v1', 'r-crosspod', 'r'), owned('Service', 'v1', 'x', 'x')];
    expect(await upgrade(objects, {})).toMatchObject({ code: 0, stderr: '' });
  });
});

interface Manager {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
}

const HELM: Manager = { manager: 'helm', operation: 'Apply' };
const HELM_3: Manager = { manager: 'helm', operation: 'Update' };
const AUTOSCALER: Manager = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale' };
const KUBECTL: Manager = { manager: 'kubectl', operation: 'Update', subresource: 'scale' };
const STATUS: Manager = { manager: 'kube-controller-manager', operation: 'Update', subresource: 'status' };

function running(replicas: number, ...managedFields: readonly Manager[]): KubernetesObject {
  const { metadata, ...rest } = owned('Deployment', 'apps/v1', 'r-crosspod', 'r');
  return { ...rest, metadata: { ...metadata, managedFields } as typeof metadata, spec: { replicas } };
}

function autoscaler(name = 'r-crosspod'): KubernetesObject {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'n' },
    spec: {},
  };
}

const ON = { autoscaling: { enabled: true } };
const KEDA = { keda: { enabled: true, prometheus: { serverAddress: 'http://p' } } };

test.each<[string, KubernetesObject[], object, number | undefined]>([
  ['nothing runs', [], {}, 2],
  ['nothing runs, and an autoscaler will', [], ON, undefined],
  ['the autoscaler is turned on', [running(6, HELM, STATUS)], ON, 6],
  ['KEDA is turned on', [running(6, HELM, STATUS)], KEDA, 6],
  ['it is on, and has not scaled yet', [running(6, HELM, STATUS), autoscaler()], ON, 6],
  ['it has scaled', [running(7, HELM, AUTOSCALER, STATUS), autoscaler()], ON, undefined],
  ['somebody has scaled before it is turned on', [running(5, HELM, KUBECTL)], ON, undefined],
  ['Helm does not apply on the server', [running(7, HELM_3, AUTOSCALER), autoscaler()], ON, 7],
  ['it is turned on where there are none', [running(0, HELM)], ON, undefined],
  ['it is turned off', [running(7, HELM, AUTOSCALER), autoscaler()], {}, 7],
  ['KEDA is turned off', [running(7, HELM, AUTOSCALER), autoscaler('keda-hpa-r-crosspod')], {}, 7],
  ['KEDA takes over from the HPA', [running(7, HELM, AUTOSCALER), autoscaler()], KEDA, undefined],
  ['there is none', [running(4, HELM, KUBECTL)], {}, 2],
])('the number of pods that is asked for where %s', async (_, objects, values, replicas) => {
  const { code, stdout, stderr } = await upgrade(objects, values);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rendered = parseAllDocuments(stdout).map((document) => document.toJS() as KubernetesObject | null);
  const applied = find(
    rendered.filter((one) => one !== null),
    'Deployment',
    'r-crosspod',
  );
  expect(applied['spec'].replicas).toBe(replicas);
});

test.each<[string, KubernetesObject[], boolean]>([
  ['more pods stay than the values ask for', [running(7, HELM, AUTOSCALER), autoscaler()], true],
  ['as many stay', [running(2, HELM, AUTOSCALER), autoscaler()], false],
  ['there was none', [running(7, HELM, KUBECTL)], false],
])('who turns the autoscaler off is told what to write where %s: %3$s', async (_, objects, expected) => {
  const cluster = await startCluster(objects);
  clusters.push(cluster);
  const how = ['--namespace', 'n', '--dry-run=server', '--disable-openapi-validation'];
  const { code, stdout } = await helm('install', 'r', CHART, ...how, '--kubeconfig', cluster.kubeconfig);
  expect(code).toBe(0);
  expect(stdout.includes('Set replicaCount: 7 in your values before the next upgrade')).toBe(expected);
});
