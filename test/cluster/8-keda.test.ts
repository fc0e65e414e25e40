import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gather } from '../client-faults/crowd.ts';
import { get, kubectlAnywhere, readyPodsOf, RELEASE, WS_URL } from './cluster.ts';
import { eventually } from './patience.ts';
import { atRest, installAnew } from './release.ts';
import { saw, secondsSince } from './report.ts';

const SLOW = { timeout: 900_000 };
const MOST = 4;
const PEOPLE = 200;
const FALLBACK = 3;

const crds = await kubectlAnywhere('get', 'crd/scaledobjects.keda.sh', '--ignore-not-found');
const isThere = crds !== '';
if (!isThere) console.log('KEDA is not in this cluster: what scales by it is not tried.');

async function wanted(): Promise<number> {
  return (await get(`deployment/${RELEASE}`)).spec.replicas;
}

async function prometheus(replicas: number): Promise<void> {
  await kubectlAnywhere('--namespace=monitoring', 'scale', 'deployment/prometheus', `--replicas=${replicas}`);
  await kubectlAnywhere('--namespace=monitoring', 'rollout', 'status', 'deployment/prometheus');
}

async function fallsBack(is: 'True' | 'False'): Promise<void> {
  await eventually(`the fallback to be ${is}`, async () => {
    const { conditions } = (await get(`scaledobject/${RELEASE}`)).status;
    return conditions.find(({ type }: { type: string }) => type === 'Fallback')?.status === is;
  });
}

async function pods(count: number): Promise<void> {
  await eventually(`${count} pods to be wanted`, async () => (await wanted()) === count);
  await eventually(`${count} pods to be ready`, async () => (await readyPodsOf('gateway')).length === count);
}

describe.runIf(isThere)('KEDA', () => {
  beforeAll(async () => {
    await installAnew({
      'autoscaling.enabled': 'false',
      'keda.enabled': 'true',
      'keda.maxReplicas': MOST,
      'keda.targetConnections': PEOPLE / MOST,
      'keda.pollingInterval': 5,
      'keda.fallbackReplicas': FALLBACK,
      'keda.prometheus.serverAddress': 'http://prometheus.monitoring.svc:9090',
    });
    await atRest();
  });

  afterAll(() => prometheus(1));

  test('scales out, keeps what runs while Prometheus is away, and scales in', SLOW, async () => {
    await pods(2);
    const crowd = await gather(WS_URL, 20, PEOPLE / 20);
    const talk = crowd.startTalk(4_000);
    let start = performance.now();
    await pods(MOST);
    saw(`KEDA: ${PEOPLE} connections opened, to ${MOST} pods ready`, secondsSince(start));

    start = performance.now();
    await prometheus(0);
    await fallsBack('True');
    saw('… Prometheus away, to the fallback', secondsSince(start));
    // As long as the autoscaler of this suite needs to take pods away, twice.
    const until = Date.now() + 60_000;
    await eventually('a minute to be over', async () => {
      expect(await wanted()).toBe(MOST);
      return Date.now() > until;
    });
    saw(`… pods a minute later, ${FALLBACK} being the fallback`, await wanted());
    talk.stop();
    await crowd.expectNothingLost();

    await prometheus(1);
    await fallsBack('False');
    expect(await wanted()).toBe(MOST);
    for (const { client } of crowd.people) client.close();
    start = performance.now();
    await pods(2);
    saw('… Prometheus back and all connections closed, to two pods left', secondsSince(start));
  });

  test('scales out to the fallback while Prometheus is away', SLOW, async () => {
    await pods(2);
    await prometheus(0);
    await pods(FALLBACK);
    await prometheus(1);
    await pods(2);
    saw(`KEDA: Prometheus away and back while two pods run`, `${FALLBACK} pods, then two`);
  });
});
