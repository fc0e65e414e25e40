import { fileURLToPath } from 'node:url';
import {
  get,
  helm,
  kubectl,
  type KubernetesObject,
  NAMESPACE,
  podsOf,
  readyPodsOf,
  RELEASE,
} from './cluster.ts';
import { eventually } from './patience.ts';

export const CHART = fileURLToPath(new URL('../../charts/crosspod', import.meta.url));
const VALUES = fileURLToPath(new URL('values.yaml', import.meta.url));

/**
 * `helm upgrade --install` of the chart with the suite's values and these, and `more` arguments; waits until everything
 * is ready.
 */
export async function install(
  values: Readonly<Record<string, string | number>> = {},
  ...more: readonly string[]
): Promise<void> {
  const [repository = '', tag = ''] = image().split(/:(?=[^/]*$)/);
  const given = { 'image.repository': repository, 'image.tag': tag, ...values };
  const set = Object.entries(given).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const args = ['--install', '--values', VALUES, ...set, '--wait', '--timeout', '5m', ...more];
  await helm('upgrade', RELEASE, CHART, ...args);
}

/** What the cluster's nodes have, or can pull. */
export function image(): string {
  return process.env['CROSSPOD_IMAGE'] ?? 'docker.io/crosspod/crosspod:0.1.0';
}

/** As `install`, on empty volumes. */
export async function installAnew(values: Readonly<Record<string, string | number>> = {}): Promise<void> {
  await uninstall();
  await install(values);
}

/** Takes the release and its volumes away, at once: nobody is to take over. */
export async function uninstall(): Promise<void> {
  await helm('uninstall', RELEASE, '--ignore-not-found');
  await kubectl('delete', 'pods', '--all', '--force', '--grace-period=0');
  const isEmpty = async (): Promise<boolean> => (await kubectl('get', 'pods', '--output', 'name')) === '';
  await eventually('all pods to be gone', isEmpty, () => kubectl('get', 'pods'));
  await kubectl('delete', 'persistentvolumeclaims', '--all');
}

/** A setting that pods made now are given. */
export async function settingOf(name: string): Promise<string | undefined> {
  const [container] = (await get(`deployment/${RELEASE}`)).spec.template.spec.containers;
  return container.env.find((variable: KubernetesObject) => variable.name === name)?.value;
}

/** Waits until no pod comes or goes, and all are ready; that of a `helm test` that failed stays. */
export async function atRest(): Promise<void> {
  await kubectl('rollout', 'status', `deployment/${RELEASE}`, '--timeout=5m');
  await kubectl('rollout', 'status', `statefulset/${RELEASE}-redis`, '--timeout=5m');
  const isSo = async (): Promise<boolean> => {
    const selector = `--selector=app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component!=test`;
    const all = (await kubectl('get', 'pods', selector, '--output', 'name')).trim().split('\n');
    const gateway = await readyPodsOf('gateway');
    const redis = await readyPodsOf('redis');
    return all.length === gateway.length + redis.length && redis.length === 3;
  };
  await eventually(`all pods of ${NAMESPACE} to be ready, and no other there`, isSo, () =>
    kubectl('get', 'pods'),
  );
}

/** The pod whose Redis is the master, as the Sentinels say. */
export async function masterPod(): Promise<string> {
  const [pod = ''] = await podsOf('redis');
  const ask =
    'REDISCLI_AUTH="$SENTINEL_PASSWORD" redis-cli -p 26379 sentinel get-master-addr-by-name mymaster';
  const answer = await kubectl('exec', pod, '--container', 'sentinel', '--', 'sh', '-c', ask);
  return answer.split('.')[0] ?? '';
}
