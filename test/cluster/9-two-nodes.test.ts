import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Crowd } from '../client-faults/crowd.ts';
import { Asker } from './asker.ts';
import {
  get,
  helm,
  kubectl,
  kubectlAnywhere,
  type KubernetesObject,
  podsOf,
  readyPodsOf,
  RELEASE,
} from './cluster.ts';
import { canBeLost, cordoned, isReady, isThere, NODE, powerOff, powerOn } from './nodes.ts';
import { eventually } from './patience.ts';
import { atRest, CHART, installAnew, masterPod } from './release.ts';
import { saw, secondsSince } from './report.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 900_000 };
const PODS = 4;
/** With what makes a Traefik that knows it give a pod up after two seconds. */
const crd = await kubectlAnywhere('get', 'crd/serverstransports.traefik.io', '--ignore-not-found');
const impatient = crd !== '';
const FOUR = { 'autoscaling.minReplicas': PODS, 'ingress.traefikObjects': String(impatient) };
const INGRESS = impatient ? ', with ingress.traefikObjects' : '';
/** The Redis that is alone on the node, so that the Sentinels elsewhere are a majority. */
const ALONE = 2;

const two = await isThere();
if (!two) console.log(`${NODE} is not in this cluster (SECOND_NODE): nothing is tried of two nodes.`);
else if (!canBeLost) console.log('SECOND_NODE_OFF and SECOND_NODE_ON are not set: no node is lost.');

/** On which node each pod of the selector is. */
async function places(selector: string): Promise<Map<string, string>> {
  const { items } = await get('pods', '--selector', selector);
  return new Map(
    items
      .filter(({ spec }: KubernetesObject) => spec.nodeName !== undefined)
      .map(({ metadata, spec }: KubernetesObject) => [metadata.name, spec.nodeName]),
  );
}

async function nodes(): Promise<string[]> {
  const { items } = JSON.parse(await kubectlAnywhere('get', 'nodes', '--output=json'));
  return items.map(({ metadata }: KubernetesObject): string => metadata.name);
}

/** The first two pods of Redis on another node, the last on the one that is lost: there their volumes are. */
async function placeRedis(): Promise<void> {
  const other = (await nodes()).find((name) => name !== NODE) ?? '';
  for (const ordinal of [0, 1, 2]) {
    const [pod, wanted] = [`${RELEASE}-redis-${ordinal}`, ordinal === ALONE ? NODE : other];
    if ((await get(`pod/${pod}`)).spec.nodeName === wanted) continue;
    await cordoned(wanted === NODE ? other : NODE, async () => {
      await kubectl('delete', `persistentvolumeclaim/data-${pod}`, '--wait=false');
      await kubectl('delete', `pod/${pod}`);
      await eventually(
        `${pod} on ${wanted}`,
        async () => (await readyPodsOf('redis')).includes(pod),
        () => kubectl('get', 'pods', '--output=wide'),
      );
    });
    expect((await get(`pod/${pod}`)).spec.nodeName).toBe(wanted);
  }
  await atRest();
}

/** Makes the Redis that is alone on the node the master, or another one. */
async function masterAlone(isSo: boolean): Promise<void> {
  const alone = `${RELEASE}-redis-${ALONE}`;
  const ask = 'REDISCLI_AUTH="$SENTINEL_PASSWORD" redis-cli -p 26379 sentinel failover mymaster';
  await eventually(`${alone} to be the master: ${isSo}`, async () => {
    if (((await masterPod()) === alone) === isSo) return true;
    await kubectl('exec', `${RELEASE}-redis-0`, '--container=sentinel', '--', 'sh', '-c', ask);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    return false;
  });
}

/** How long the lines of those who had to come back were of no use: from the loss, the least, the middle, the most. */
function outages({ people }: Crowd, since: number): string {
  const seconds = people
    .flatMap(({ returns }) => returns.filter((at) => at > since).slice(0, 1))
    .map((at) => (at - since) / 1_000)
    .toSorted((one, other) => one - other);
  const [least, middle, most] = [0, 0.5, 1].map((share) => seconds[Math.round(share * (seconds.length - 1))]);
  return `${seconds.length} clients; ${least?.toFixed(0)} to ${most?.toFixed(0)} s, half of them within ${middle?.toFixed(0)} s`;
}

async function nodeLost(what: string): Promise<void> {
  const asker = new Asker();
  await talkThrough(
    what,
    async (crowd) => {
      const on = [...(await places('app.kubernetes.io/component=gateway'))];
      const lost = on.filter(([, node]) => node === NODE).map(([pod]) => pod);
      expect(lost.length).toBeGreaterThan(0);
      asker.failures();
      const [start, at] = [performance.now(), Date.now()];
      await powerOff();
      await eventually(`${NODE} to be marked`, async () => !(await isReady()));
      saw(`… ${lost.length} of ${on.length} gateways on it; it is NotReady after`, secondsSince(start));
      saw('… requests that failed until then', asker.failures());
      await eventually('new pods', async () => {
        const now = (await readyPodsOf('gateway')).filter((pod) => !lost.includes(pod));
        return now.length === PODS;
      });
      saw('… as many gateways as before after', secondsSince(start));
      saw('… requests that failed until then', asker.failures());
      await eventually('all to be back', () =>
        Promise.resolve(crowd.people.every(({ client }) => client.state === 'connected')),
      );
      saw('… out were', outages(crowd, at));
      await powerOn();
    },
    { presence: 'told' },
  );
  asker.stop();
}

describe.runIf(two)('two nodes', () => {
  beforeAll(async () => {
    await installAnew(FOUR);
    await eventually(`${PODS} pods`, async () => (await readyPodsOf('gateway')).length === PODS);
    await placeRedis();
  });

  afterAll(async () => {
    if (canBeLost) await powerOn();
  });

  test('three gateways of each installation are on both nodes', SLOW, async () => {
    const seen: string[] = [];
    for (let n = 1; n <= 7; n += 1) {
      const [name, component] = [`spread-${n}`, 'app.kubernetes.io/component=gateway'];
      // Where they are put is seen at once; nothing needs to answer.
      const nobody = ['redis.enabled=false', 'externalRedis.url=redis://nobody:6379', 'replicaCount=3'];
      const set = [...nobody, 'resources.requests.cpu=10m'].flatMap((value) => ['--set', value]);
      await helm('install', name, CHART, ...set);
      let on: string[] = [];
      await eventually(`the pods of ${name} to have nodes`, async () => {
        on = [...(await places(`app.kubernetes.io/instance=${name},${component}`)).values()];
        return on.length === 3;
      });
      await helm('uninstall', name);
      const left = `--selector=app.kubernetes.io/instance=${name}`;
      await kubectl('delete', 'pods', left, '--force', '--grace-period=0');
      seen.push(on.filter((node) => node === NODE).length.toString());
      expect(new Set(on).size).toBe(2);
    }
    saw(`gateways of three that are on ${NODE}, in ${seen.length} installations`, seen.join(', '));
  });

  test('a node is drained', SLOW, async () => {
    await talkThrough(`\`kubectl drain\` of a node, ${PODS} gateways on two`, async () => {
      const flags = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=5m'];
      await kubectlAnywhere('drain', NODE, ...flags);
      await eventually('all gateways elsewhere', async () => (await readyPodsOf('gateway')).length === PODS);
      expect([...(await places('app.kubernetes.io/component=gateway')).values()]).not.toContain(NODE);
      await kubectlAnywhere('uncordon', NODE);
    });
    expect(await podsOf('redis')).toHaveLength(3);
  });

  test.runIf(canBeLost)('a node without the master is lost', SLOW, async () => {
    await kubectl('rollout', 'restart', `deployment/${RELEASE}`);
    await atRest();
    await masterAlone(false);
    await nodeLost(`a node is lost, the master is elsewhere${INGRESS}`);
  });

  test.runIf(canBeLost)('a node with the master is lost', SLOW, async () => {
    await kubectl('rollout', 'restart', `deployment/${RELEASE}`);
    await atRest();
    await masterAlone(true);
    await nodeLost(`a node is lost, and the Redis master with it${INGRESS}`);
    expect(await masterPod()).not.toBe(`${RELEASE}-redis-${ALONE}`);
  });
});
