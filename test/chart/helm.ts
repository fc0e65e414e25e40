import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { SETTINGS } from '../../src/settings.ts';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';

export const CHART = fileURLToPath(new URL('../../charts/crosspod', import.meta.url));
const MOST_OUTPUT = 64 * 1024 * 1024;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Kubernetes object as the chart renders it; tests read into it field by field. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

/** Runs the real Helm; it sees no cluster and no settings of whoever runs the tests. */
export function helm(...args: readonly string[]): Promise<Ran> {
  const home = mkdtempSync(join(tmpdir(), 'crosspod-helm-'));
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: join(home, 'none') };
  return new Promise((resolve) => {
    execFile(kubernetesTool('helm'), args, { env, maxBuffer: MOST_OUTPUT }, (error, stdout, stderr) => {
      rmSync(home, { recursive: true, force: true });
      const code = error === null ? 0 : Number(error.code ?? 1);
      resolve({ code, stdout, stderr });
    });
  });
}

/** `helm template` of the chart with these values, as release `r` in namespace `n`; `more` are further arguments. */
export function template(values: object = {}, more: readonly string[] = []): Promise<Ran> {
  return withValues(values, ['template', 'r', CHART, '--namespace', 'n'], more);
}

/** `helm lint`, which takes warnings for faults. */
export function lint(values: object = {}): Promise<Ran> {
  return withValues(values, ['lint', '--strict', CHART]);
}

/** All that `helm install` would write without a cluster: objects, hooks and notes. */
export function dryRun(values: object = {}): Promise<Ran> {
  return withValues(values, ['install', 'r', CHART, '--namespace', 'n', '--dry-run=client']);
}

/** What whoever installs the chart with these values gets to read. Throws with what Helm says where it refuses them. */
export async function notes(values: object = {}): Promise<string> {
  const { code, stdout, stderr } = await dryRun(values);
  const [, text] = stdout.split('\nNOTES:\n');
  if (code !== 0 || text === undefined) throw new Error(`helm install failed:\n${stderr}`);
  return text;
}

async function withValues(
  values: object,
  args: readonly string[],
  more: readonly string[] = [],
): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-values-'));
  const file = join(folder, 'values.json');
  writeFileSync(file, JSON.stringify(values));
  try {
    return await helm(...args, '--values', file, ...more);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the chart renders with these values. Throws with what Helm says where it refuses them. */
export async function render(values: object = {}, more: readonly string[] = []): Promise<KubernetesObject[]> {
  const { code, stdout, stderr } = await template(values, more);
  if (code !== 0) throw new Error(`helm template failed:\n${stderr}`);
  return parseAllDocuments(stdout, { uniqueKeys: true })
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS() as KubernetesObject | null;
    })
    .filter((object) => object !== null);
}

/** The one object of the kind and name. Throws where there is none, or more than one. */
export function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const known = objects.map((object) => `${object.kind}/${object.metadata.name}`).join(', ');
  throw new Error(`${found.length} of ${kind}/${name}; there are ${known}`);
}

/** The settings that the gateway's pods are given in the open, but for those of the ports, which are always the same. */
export function settingsOf(
  objects: readonly KubernetesObject[],
  deployment = 'r-crosspod',
): Record<string, string> {
  const [container] = find(objects, 'Deployment', deployment)['spec'].template.spec.containers;
  const variables = container.env as readonly { name: string; value?: string }[];
  const given = variables.flatMap(({ name, value }) =>
    value === undefined || !(name in SETTINGS) || /^(OPS_)?PORT$/.test(name)
      ? []
      : [[name, value.replaceAll('$$', '$')] as const],
  );
  return Object.fromEntries(given);
}
