import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { get, helm, kubectl, kubectlWith, NAMESPACE, readyPodsOf, RELEASE } from './cluster.ts';
import { killContainer } from './killer.ts';
import { eventually } from './patience.ts';
import { install, settingOf } from './release.ts';
import { saw, secondsSince } from './report.ts';
import { invite, leave, STRANGER } from './stranger.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };

beforeAll(() => install());

test('a rolling upgrade', SLOW, async () => {
  const before = await readyPodsOf('gateway');
  await talkThrough('rolling upgrade of the gateway', () => install({ 'settings.LOG_LEVEL': 'debug' }));
  const after = await readyPodsOf('gateway');
  expect(after.filter((pod) => before.includes(pod))).toEqual([]);
});

test('helm rollback', SLOW, async () => {
  expect(await settingOf('LOG_LEVEL')).toBe('debug');
  await talkThrough(
    '`helm rollback`',
    async () => void (await helm('rollback', RELEASE, '--wait', '--timeout', '5m')),
  );
  expect(await settingOf('LOG_LEVEL')).toBeUndefined();
});

test('a gateway pod is deleted', SLOW, async () => {
  const [pod = ''] = await readyPodsOf('gateway');
  await talkThrough(
    '`kubectl delete pod` of a gateway',
    async () => void (await kubectl('delete', `pod/${pod}`)),
  );
  expect(await readyPodsOf('gateway')).not.toContain(pod);
});

test('POST /drain, from within the pod alone', SLOW, async () => {
  const [pod = ''] = await readyPodsOf('gateway');
  await invite();
  onTestFinished(leave);
  const { podIP } = (await get(`pod/${pod}`)).status;
  const ask = async (from: string, host: string): Promise<string> => {
    const script = `fetch('http://${host}:9090/drain',{method:'POST'}).then((answer)=>console.log(answer.status))`;
    return (await kubectl('exec', from, '--', 'node', '--eval', script)).trim();
  };
  await eventually('the stranger to be known to all', async () => (await ask(STRANGER, podIP)) === '403');
  const restarts = async (): Promise<number> =>
    (await get(`pod/${pod}`)).status.containerStatuses[0].restartCount;
  const before = await restarts();
  await talkThrough('`POST /drain`', async () => {
    expect(await ask(pod, '127.0.0.1')).toBe('202');
    await eventually(`${pod} to begin anew`, async () => (await restarts()) === before + 1);
  });
});

test('a gateway container is killed', SLOW, async () => {
  const [pod = ''] = await readyPodsOf('gateway');
  const restarts = async (): Promise<number> =>
    (await get(`pod/${pod}`)).status.containerStatuses[0].restartCount;
  const before = await restarts();
  await talkThrough('SIGKILL to a gateway', async () => {
    await killContainer(await get(`pod/${pod}`), 'crosspod');
    await eventually(`${pod} to restart`, async () => (await restarts()) === before + 1);
  });
});

test('pods are evicted, one after the other', SLOW, async () => {
  const pods = await readyPodsOf('gateway');
  let refused = 0;
  await talkThrough('eviction of all gateway pods', async () => {
    for (const pod of pods) {
      const start = performance.now();
      await eventually(`the eviction of ${pod}`, async () => {
        const answer = await evict(pod);
        if (answer === 'refused') refused += 1;
        return answer === 'evicted';
      });
      saw(`… ${pod} was let go after`, secondsSince(start));
    }
  });
  expect(refused, 'evictions that the disruption budget put off').toBeGreaterThan(0);
  expect((await readyPodsOf('gateway')).filter((pod) => pods.includes(pod))).toEqual([]);
});

/** As a node that is drained asks for it. */
async function evict(pod: string): Promise<'evicted' | 'refused'> {
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod, namespace: NAMESPACE },
  };
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${pod}/eviction`;
  return kubectlWith(eviction, 'create', '--raw', path, '--filename', '-').then(
    () => 'evicted',
    (error: unknown) => {
      if (String(error).includes('disruption budget')) return 'refused';
      throw error;
    },
  );
}
