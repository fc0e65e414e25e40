import { beforeAll, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, INGRESS_URL, kubectl, podsOf, RELEASE } from './cluster.ts';
import { killContainer } from './killer.ts';
import { Prober } from './prober.ts';
import { eventually } from './patience.ts';
import { atRest, install, masterPod } from './release.ts';
import { saw } from './report.ts';
import { talkThrough } from './talkers.ts';

const SLOW = { timeout: 600_000 };

beforeAll(() => install());

/** What happens to the master, and how long nothing crosses from pod to pod meanwhile. */
async function masterGoes(what: string, fault: (master: string) => Promise<unknown>): Promise<void> {
  const master = await masterPod();
  const prober = await Prober.start();
  await talkThrough(what, async () => {
    await fault(master);
    await eventually('another master', async () => (await masterPod()) !== master);
    // What waited for Redis comes, and the old one returns.
    await sleep(10_000);
  });
  saw('… longest time without a message from pod to pod', `${(prober.stop() / 1_000).toFixed(1)} s`);
}

test('the pod of the Redis master is deleted', SLOW, () =>
  masterGoes('`kubectl delete pod` of the Redis master', (pod) =>
    kubectl('delete', `pod/${pod}`, '--wait=false'),
  ),
);

test('the Redis master is killed', SLOW, () =>
  masterGoes('SIGKILL to the Redis master', async (pod) => killContainer(await get(`pod/${pod}`), 'redis')),
);

test('the pod of a replica is deleted', SLOW, async () => {
  const master = await masterPod();
  const replica = (await podsOf('redis')).find((pod) => pod !== master) ?? '';
  await talkThrough(
    '`kubectl delete pod` of a Redis replica',
    async () => void (await kubectl('delete', `pod/${replica}`)),
  );
  expect(await masterPod()).toBe(master);
});

async function api(path: string, body?: object): Promise<Record<string, unknown>> {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  const answer = await fetch(`${INGRESS_URL}/api/${path}`, body === undefined ? {} : init);
  expect(answer.status, `the answer of ${path}`).toBe(200);
  return (await answer.json()) as Record<string, unknown>;
}

test('a restart of all Redis pods keeps password and data', SLOW, async () => {
  await atRest();
  const passwords = (await get(`secret/${RELEASE}-redis`)).data;
  for (let n = 1; n <= 100; n += 1) await api('rooms/kept/messages', { data: n });
  // All have it on their disks by then: appendfsync is everysec.
  await sleep(3_000);
  const pods = await podsOf('redis');
  const start = performance.now();
  await kubectl('delete', 'pod', ...pods, '--force', '--grace-period=0');
  await atRest();
  await eventually('the gateway to read history again', async () => {
    const { messages } = (await api('rooms/kept/history?limit=1000')) as { messages: { data: number }[] };
    expect(messages.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    return true;
  });
  saw(
    'all Redis pods deleted at once, by force',
    `100 of 100 messages there again after ${((performance.now() - start) / 1_000).toFixed(1)} s`,
  );
  expect((await get(`secret/${RELEASE}-redis`)).data).toEqual(passwords);
  const { id, provisional } = await api('rooms/kept/messages', { data: 'after' });
  expect([typeof id, provisional]).toEqual(['string', undefined]);
});
