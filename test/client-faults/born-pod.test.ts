import { expect, onTestFinished, test } from 'vitest';
import { PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type Stack, startStack } from '../support/stack/stack.ts';
import { eventually, ready, SLOW } from '../faults/world.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { expectAllOnceInOrder, expectOneId, lastWords, personAt, proxyTo } from './world.ts';
import { type Crowd, expectQuietPresence, gather } from './crowd.ts';

/** HAProxy finds out within a second that a pod is to end; till then it would send clients back to it, to be told to wait. */
const SETTINGS = {
  HISTORY_SIZE: '10000',
  DRAIN_DELAY_SECONDS: '2',
  DRAIN_WINDOW_SECONDS: '2',
  PRESENCE_GRACE_SECONDS: '2',
};

/** Of the third pod in its second life; it holds back everything until it is told otherwise. */
async function closedWayTo({ redis }: Stack): Promise<Proxy> {
  const [server] = redis;
  const proxy = await startProxy(server?.port ?? 0);
  onTestFinished(() => proxy.stop());
  proxy.silence();
  return proxy;
}

/** Takes the place of a pod that has stopped. Nobody waits until it is ready. */
function bornInPlaceOf({ ports }: PodProcess, { port }: Proxy): PodProcess {
  const env = { ...SETTINGS, REDIS_URL: `redis://127.0.0.1:${port}`, START_WAIT_SECONDS: '60' };
  const pod = new PodProcess('born', ports, env);
  onTestFinished(() => pod.discard());
  pod.launch();
  return pod;
}

/** Serves without having reached Redis yet. */
async function aloneBehind({ port }: Proxy): Promise<PodProcess> {
  const env = { ...SETTINGS, REDIS_URL: `redis://127.0.0.1:${port}`, START_WAIT_SECONDS: '1' };
  const pod = await startPodProcess('alone', env);
  onTestFinished(() => pod.discard());
  return pod;
}

async function heardMore({ people }: Crowd): Promise<void> {
  const before = people.map(({ heard }) => heard.length);
  await eventually('more talk', () => people.every(({ heard }, n) => heard.length > (before[n] ?? 0) + 50));
}

test('a pod is born that cannot reach Redis yet, and another drained: nobody notices', SLOW, async () => {
  const stack = await startStack({ pods: 3, env: SETTINGS });
  onTestFinished(() => stack.stop());
  const [drained, , former] = stack.pods;
  if (drained === undefined || former === undefined) throw new Error('there are not three pods');
  const way = await closedWayTo(stack);
  const crowd = await gather(stack.haproxy?.wsUrl ?? '', 3, 6);
  crowd.forgetPresence();
  const talk = crowd.startTalk(200);
  await former.stop();
  const born = bornInPlaceOf(former, way);
  await eventually('a pod that waits', () => born.output().includes('not reached yet'));
  // All clients must go somewhere, and HAProxy prefers the pod with the fewest.
  await drained.stop();
  await drained.start();
  await heardMore(crowd);
  way.resume();
  await ready(born);
  await heardMore(crowd);
  talk.stop();
  await crowd.expectNothingLost();
  expectQuietPresence(crowd);
  expect(crowd.people.every(({ states }) => states.at(-1) === 'connected')).toBe(true);
});

test(
  'who brings unacked messages to a pod that is alone is heard there before Redis comes',
  SLOW,
  async () => {
    const stack = await startStack({ pods: 1, env: SETTINGS, haproxy: false });
    onTestFinished(() => stack.stop());
    const [doomed] = stack.pods;
    if (doomed === undefined) throw new Error('there is no pod');
    const way = await closedWayTo(stack);
    const alone = await aloneBehind(way);
    const door = await proxyTo(doomed.ports.PORT);
    const [ann, bob] = [await personAt(door, 'ann'), await personAt(alone, 'bob')];
    // What she says now nobody answers.
    doomed.freeze();
    for (let n = 0; n < 20; n += 1) void ann.say();
    door.leadTo(Number(alone.ports.PORT));
    door.breakAll();
    await doomed.kill();
    await eventually('ann to be back', () => ann.states.join() === 'connected,reconnecting,connected');
    void ann.say();
    const all = Array.from({ length: 21 }, (_, index) => index + 1);
    await eventually(
      'bob to hear ann',
      () => bob.numbersOf('ann').length >= all.length,
      () => `he had ${bob.numbersOf('ann').join()}`,
    );
    expect(bob.numbersOf('ann')).toEqual(all);
    expect(ann.acked.size).toBe(0);
    way.resume();
    await lastWords([ann, bob], [ann]);
    expectAllOnceInOrder([ann, bob], [ann]);
    expectOneId([ann, bob], [ann]);
    // What the history would have brought they were told at their join to be owed.
    for (const one of [ann, bob]) expect(one.gaps).toEqual(['unavailable']);
  },
);
