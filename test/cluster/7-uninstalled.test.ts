import { expect, test } from 'vitest';
import { helm, kubectl, RELEASE } from './cluster.ts';
import { eventually } from './patience.ts';

/** What Kubernetes itself puts into every namespace, and what it keeps of what happened. */
const ALWAYS = /^(configmap\/kube-root-ca\.crt|serviceaccount\/default|event)/;

async function everything(): Promise<string[]> {
  const kinds = await kubectl('api-resources', '--namespaced', '--verbs=list', '--output=name');
  // Figures of a moment, not objects.
  const stored = kinds
    .trim()
    .split('\n')
    .filter((kind) => !kind.includes('metrics.k8s.io'));
  const found = await kubectl('get', stored.join(','), '--ignore-not-found', '--output=name');
  return found.split('\n').filter((name) => name !== '' && !ALWAYS.test(name));
}

test('helm uninstall leaves volumes and nothing else', async () => {
  await helm('uninstall', RELEASE, '--wait');
  const volumes = [0, 1, 2].map((n) => `persistentvolumeclaim/data-${RELEASE}-redis-${n}`);
  let left: string[] = [];
  const isSo = async (): Promise<boolean> => {
    left = await everything();
    return left.toSorted().join() === volumes.join();
  };
  await eventually(`only ${volumes.join(', ')} to be left`, isSo, () => Promise.resolve(left.join('\n')));
  expect(left).toHaveLength(3);
});
