import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';
import { kubectl, kubectlAnywhere, NAMESPACE } from './cluster.ts';
import { eventually } from './patience.ts';
import { install, uninstall } from './release.ts';
import { beginReport, reported, saw, secondsSince } from './report.ts';

const BESIDE = ['prometheus', 'prometheus-adapter'].map((name) =>
  fileURLToPath(new URL(`../../k8s/${name}`, import.meta.url)),
);

/** Installs everything from nothing; what it gives back removes it and prints what was seen. */
export default async function setup(): Promise<() => Promise<void>> {
  for (const tool of ['helm', 'kubectl'] as const) kubernetesTool(tool);
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-cluster-'));
  beginReport(join(folder, 'report'));
  const { serverVersion } = await versions();
  // Whoever had a Prometheus of that name keeps it.
  const had = (await kubectl('get', 'namespace', 'monitoring', '--ignore-not-found')) !== '';
  const end = async (): Promise<void> => {
    await remove();
    // The adapter goes first: an API whose server is gone holds up the end of every namespace.
    if (!had)
      for (const one of BESIDE.toReversed())
        await kubectlAnywhere('delete', '--kustomize', one, '--ignore-not-found');
    console.log(`\n${reported()}\n`);
    rmSync(folder, { recursive: true });
  };
  try {
    // Of a run that was cut short.
    await remove();
    saw('Kubernetes', serverVersion.gitVersion);
    for (const one of BESIDE) await kubectlAnywhere('apply', '--kustomize', one);
    await kubectl('create', 'namespace', NAMESPACE);
    const start = performance.now();
    await install();
    saw('`helm install` to everything ready', secondsSince(start));
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

async function versions(): Promise<{ serverVersion: { gitVersion: string } }> {
  try {
    return JSON.parse(await kubectl('version', '--output', 'json'));
  } catch (cause) {
    throw new Error('no cluster answers: set KUBECONFIG (k8s/README.md)', { cause });
  }
}

async function remove(): Promise<void> {
  await uninstall();
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found');
  const isGone = async (): Promise<boolean> =>
    (await kubectl('get', 'namespace', NAMESPACE, '--ignore-not-found')) === '';
  await eventually(`the namespace ${NAMESPACE} to be gone`, isGone);
}
