import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countOf, type Run, type Summary } from '../load/k6.ts';
import {
  get,
  INGRESS_URL,
  kubectl,
  kubectlAnywhere,
  type KubernetesObject,
  kubectlWith,
  readyPodsOf,
} from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, install } from './release.ts';
import { saw } from './report.ts';
import { cookies } from './sticky.ts';

const MANIFEST = fileURLToPath(new URL('../../k8s/load/job.yaml', import.meta.url));
const SCRIPTS = fileURLToPath(new URL('../../loadtest/k6', import.meta.url));
const JOB = 'crosspod-k6';
const PODS = 4;
const USERS = 100;
const ROOMS = 10;
/** Of each user: one a second. */
const MESSAGES = 30;

/** The autoscaler keeps so many, however few connections there are. */
async function keep(pods: number): Promise<void> {
  await install({ 'autoscaling.minReplicas': pods });
  await eventually(`${pods} pods`, async () => (await readyPodsOf('gateway')).length === pods);
  await atRest();
}

beforeAll(() => keep(PODS));

afterAll(async () => {
  await kubectl('delete', `job/${JOB}`, `configmap/${JOB}`, '--ignore-not-found');
  await keep(2);
});

/** The Job as its manifest has it, but for these settings. */
async function jobWith(settings: Readonly<Record<string, string | number>>): Promise<KubernetesObject> {
  const service = await kubectlAnywhere(
    'get',
    'service/traefik',
    '--namespace=ingress',
    '--ignore-not-found',
  );
  // A controller that listens on its node and has no Service is found as this machine finds it, but from a node.
  const isOnNode = service === '';
  const given = Object.entries({ ...settings, ...(isOnNode ? { BASE_URL: INGRESS_URL } : {}) });
  const changes = given.map(([name, value]) => `${name}=${value}`);
  const set = ['set', 'env', '--local', '--filename', MANIFEST, ...changes, '--output=json'];
  const job: KubernetesObject = JSON.parse(await kubectl(...set));
  job.spec.template.spec.hostNetwork = isOnNode;
  return job;
}

/** Runs it to its end, whatever that is. */
async function run(job: KubernetesObject): Promise<Run> {
  await kubectl('create', 'configmap', JOB, `--from-file=${SCRIPTS}`);
  await kubectlWith(job, 'create', '--filename', '-');
  const isOver = async (): Promise<boolean> => {
    const { status } = await get(`job/${JOB}`);
    return (status.succeeded ?? 0) + (status.failed ?? 0) === 1;
  };
  await eventually(`the end of the Job ${JOB}`, isOver, () =>
    kubectl('describe', 'pod', `--selector=job-name=${JOB}`),
  );
  const { status } = await get(`job/${JOB}`);
  const output = await kubectl('logs', `job/${JOB}`);
  const [json] = /^\{$[^]*^\}$/m.exec(output) ?? [];
  const summary = json === undefined ? undefined : (JSON.parse(json) as Summary);
  return { code: status.succeeded === 1 ? 0 : 1, output, summary };
}

function p95(one: Run, way: 'own' | 'other'): string {
  const ms = one.summary?.metrics[`publish_to_receive_ms{way:${way}}`]?.values['p(95)'] ?? Number.NaN;
  expect(ms, `publish to receive, ${way} pod`).toBeGreaterThanOrEqual(0);
  return `${ms.toFixed(0)} ms`;
}

test(`k6 in the cluster finds ${PODS} pods behind the ingress, and nothing is lost between them`, async () => {
  // All of them, as far as the ingress controller knows.
  expect([...(await cookies()).keys()]).toHaveLength(PODS);
  const settings = {
    VUS: USERS,
    ROOMS,
    RATE: 1,
    DURATION: `${MESSAGES}s`,
    MIN_PODS: PODS,
    // It is about what is lost; how soon it came is told.
    LATENCY_MS: 15_000,
    SUMMARY: 'stdout',
  };
  const result = await run(await jobWith(settings));
  expect(result.code, `what k6 said:\n${result.output}`).toBe(0);
  expect(result.summary).toMatchObject({ script: 'fanout', passed: true, failed: [] });
  const faults = ['lost', 'repeated', 'disordered', 'unacked', 'unaccounted'];
  expect(faults.map((fault) => [fault, countOf(result, fault)])).toEqual(faults.map((fault) => [fault, 0]));
  expect(countOf(result, 'published')).toBe(USERS * MESSAGES);
  const deliveries = countOf(result, 'received');
  expect(deliveries).toBe(USERS * MESSAGES * (USERS / ROOMS));
  const perPod = Array.from({ length: PODS }, (_, pod) => countOf(result, `on_pod{pod:${pod}}`));
  for (const users of perPod) expect(users).toBeGreaterThan(0);
  expect(countOf(result, 'received{way:other}')).toBeGreaterThan(0);
  saw(
    `k6 in the cluster: ${USERS} users through the ingress on ${PODS} pods (${perPod.join(', ')})`,
    `0 lost, repeated or disordered of ${deliveries} deliveries of ${USERS * MESSAGES} messages; ` +
      `p95 from publishing to receiving ${p95(result, 'own')} on the same pod, ${p95(result, 'other')} on another`,
  );
});
