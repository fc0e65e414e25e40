import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { type KubernetesObject, render } from './helm.ts';

const FOLDER = join(import.meta.dirname, 'values');

/** Deployments as somebody would write them, by the names of their files. */
export const DEPLOYMENTS: readonly string[] = readdirSync(FOLDER)
  .map((file) => basename(file, '.yaml'))
  .sort();

const rendered = new Map<string, Promise<KubernetesObject[]>>();

// oxlint-disable-next-line typescript/no-explicit-any
export function valuesFor(deployment: string): any {
  return parse(readFileSync(join(FOLDER, `${deployment}.yaml`), 'utf8'));
}

/** What the chart renders for the deployment; once in each file of tests. */
export function deployed(deployment: string): Promise<KubernetesObject[]> {
  const known = rendered.get(deployment) ?? render(valuesFor(deployment));
  rendered.set(deployment, known);
  return known;
}

/** The labels by which one part of the release `r` is found. */
export function selector(component: string, name = 'crosspod'): Record<string, string> {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': 'r',
    'app.kubernetes.io/component': component,
  };
}

/** All labels of one part of the release `r`. */
export function labels(component: string, name = 'crosspod'): Record<string, string> {
  return {
    ...selector(component, name),
    'app.kubernetes.io/managed-by': 'Helm',
    'app.kubernetes.io/part-of': 'crosspod',
    'app.kubernetes.io/version': '0.1.0',
    'helm.sh/chart': 'crosspod-0.1.0',
  };
}
