import { expect, test } from 'vitest';
import { get, helm, INGRESS_URL, kubectl, metricOf, podsOf, readyPodsOf, RELEASE } from './cluster.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { atRest } from './release.ts';
import { saw } from './report.ts';

test('all pods are ready', async () => {
  await atRest();
  expect(await readyPodsOf('gateway')).toHaveLength(2);
  expect(await readyPodsOf('redis')).toHaveLength(3);
});

test('helm test publishes over HTTP and receives over a WebSocket', async () => {
  expect(await helm('test', RELEASE, '--logs')).toContain(
    'a message published over HTTP arrived over a WebSocket',
  );
});

test('an idle pod needs little', async () => {
  const [pod = ''] = await readyPodsOf('gateway');
  const [before, start] = [await metricOf(pod, 'process_cpu_seconds_total'), performance.now()];
  await sleep(20_000);
  const seconds = (await metricOf(pod, 'process_cpu_seconds_total')) - before;
  const share = (100_000 * seconds) / (performance.now() - start);
  const mebibytes = (await metricOf(pod, 'process_resident_memory_bytes')) / 1024 ** 2;
  expect(mebibytes).toBeGreaterThan(0);
  saw('an idle gateway pod', `${mebibytes.toFixed(0)} MiB, ${share.toFixed(1)} % of a core`);
});

/** Says who it is, whether it can write beside its volumes, and what Kubernetes gave it to come back with. */
const CONFESSION =
  'id -u; touch /confession 2>/dev/null && echo writes; ls /var/run/secrets/kubernetes.io 2>/dev/null; true';

test.each(['gateway', 'redis'] as const)(
  'no container of %s is root, writes to its root or holds a token',
  async (component) => {
    for (const pod of await podsOf(component)) {
      const { spec } = await get(`pod/${pod}`);
      for (const { name } of spec.containers) {
        const said = await kubectl('exec', pod, '--container', name, '--', 'sh', '-c', CONFESSION);
        expect(said.trim(), `${pod} ${name}`).toMatch(/^[1-9]\d*$/);
      }
    }
  },
);

test.each([
  ['GET', '/metrics'],
  ['GET', '/livez'],
  ['GET', '/readyz'],
  ['POST', '/drain'],
])('%s %s is for operators: the ingress does not lead there', async (method, path) => {
  const { status } = await fetch(`${INGRESS_URL}${path}`, { method });
  expect(status).toBe(404);
  expect((await fetch(`${INGRESS_URL}/ws/stats`)).status).toBe(200);
});
