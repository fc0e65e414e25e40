import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubernetesObject } from './helm.ts';

/** What there can be in the cluster, by group and version. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  v1: ['ConfigMap', 'Secret', 'Service', 'ServiceAccount', 'Pod'],
  'apps/v1': ['Deployment', 'StatefulSet'],
  'policy/v1': ['PodDisruptionBudget'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'keda.sh/v1alpha1': ['ScaledObject'],
};

export interface Cluster {
  readonly kubeconfig: string;
  readonly stop: () => void;
}

/** Answers like the API of a Kubernetes that has these objects, as far as Helm asks where it only looks. */
export async function startCluster(objects: readonly KubernetesObject[]): Promise<Cluster> {
  const answers = new Map<string, object>([
    ['/version', { major: '1', minor: '33', gitVersion: 'v1.33.0' }],
    ['/api', { kind: 'APIVersions', versions: ['v1'] }],
    ['/apis', { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() }],
    ...Object.entries(KINDS).map(([version, kinds]) => [rootOf(version), resources(version, kinds)] as const),
    ...objects.map((object) => [placeOf(object), object] as const),
  ]);
  const server = createServer((request, response) => {
    const answer = answers.get((request.url ?? '').replace(/\?.*/, ''));
    const missing = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 };
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? missing));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-cluster-'));
  const kubeconfig = join(folder, 'config');
  writeFileSync(kubeconfig, JSON.stringify(configFor((server.address() as AddressInfo).port)));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  };
  return { kubeconfig, stop };
}

function groups(): object[] {
  return Object.keys(KINDS)
    .filter((groupVersion) => groupVersion.includes('/'))
    .map((groupVersion) => {
      const [name, version] = groupVersion.split('/');
      return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
    });
}

function resources(groupVersion: string, kinds: readonly string[]): object {
  const rows = kinds.map((kind) => ({
    name: pluralOf(kind),
    kind,
    namespaced: true,
    verbs: ['get', 'list'],
  }));
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: rows };
}

function placeOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  return `${rootOf(apiVersion)}/namespaces/${metadata.namespace}/${pluralOf(kind)}/${metadata.name}`;
}

function rootOf(version: string): string {
  return version.includes('/') ? `/apis/${version}` : `/api/${version}`;
}

function pluralOf(kind: string): string {
  return `${kind.toLowerCase()}s`;
}

function configFor(port: number): object {
  const name = 'here';
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
}
