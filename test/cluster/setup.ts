import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubernetesTool } from '../../scripts/kubernetes-tools.ts';
import { get, helm, kubectl, NAMESPACE, RELEASE } from './cluster.ts';
import { eventually } from './patience.ts';
import { install } from './release.ts';
import { beginReport, reported, saw, secondsSince } from './report.ts';

const BESIDE = ['prometheus', 'prometheus-adapter'].map((name) =>
  fileURLToPath(new URL(`../../k8s/${name}`, import.meta.url)),
);

/** Installs everything from nothing; what it gives back removes it and prints what was seen. */
export default async function setup(): Promise<() => Promise<void>> {
  for (const tool of ['helm', 'kubectl'] as const) kubernetesTool(tool);
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-cluster-'));
  beginReport(join(folder, 'report'));
  await kubectl('version').catch((cause: unknown) => {
    throw new Error('no cluster answers: set KUBECONFIG (k8s/README.md)', { cause });
  });
  const had = await get('namespace/monitoring').then(
    () => true,
    () => false,
  );
  // Of a run that was cut short.
  await remove();
  saw('Kubernetes', JSON.parse(await kubectl('version', '--output', 'json')).serverVersion.gitVersion);
  for (const kustomization of BESIDE) await kubectl('apply', '--kustomize', kustomization);
  await kubectl('create', 'namespace', NAMESPACE);
  const start = performance.now();
  await install();
  saw('`helm install` to everything ready', secondsSince(start));
  return async () => {
    await remove();
    // Whoever had a Prometheus of that name keeps it.
    if (!had)
      for (const kustomization of BESIDE)
        await kubectl('delete', '--kustomize', kustomization, '--ignore-not-found');
    console.log(`\n${reported()}\n`);
    rmSync(folder, { recursive: true });
  };
}

async function remove(): Promise<void> {
  await helm('uninstall', RELEASE, '--ignore-not-found', '--wait');
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found');
  const isGone = async (): Promise<boolean> =>
    (await kubectl('get', 'namespace', NAMESPACE, '--ignore-not-found')) === '';
  await eventually(`the namespace ${NAMESPACE} to be gone`, isGone);
}
