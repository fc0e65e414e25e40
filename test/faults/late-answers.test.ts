import { degraded, eventually, podOn, ready, redisOf, SLOW } from './world.ts';
import { expect, onTestFinished, test } from 'vitest';
import { expectEverythingOnce, startTalk } from './judge.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { Witness } from './witness.ts';

const WAYS = ['to-server', 'to-client'] as const;

async function farPod(port: number): Promise<{ pod: PodProcess; network: Proxy }> {
  const network = await startProxy(port);
  onTestFinished(() => network.stop());
  const pod = await podOn({ env: { REDIS_URL: `redis://127.0.0.1:${network.port}` } });
  return { pod, network };
}

test(
  'Redis that answers each command after 2.6 s is away for every pod, however much is asked',
  SLOW,
  async () => {
    const redis = await redisOf();
    const far = [await farPod(redis.port), await farPod(redis.port)];
    const pods = far.map(({ pod }) => pod);
    const speakers = await Promise.all(
      pods.map((pod, index) => Witness.join(pod, 'room', `speaker-${index}`)),
    );
    const talk = startTalk(speakers);
    // Step by step, so that at no time nothing comes for two seconds.
    for (const ms of [700, 1_300]) {
      for (const { network } of far) for (const way of WAYS) network.delay(way, ms);
      // The fault itself: longer than a pod waits for an answer, at each step.
      await sleep(3_000);
    }
    await degraded(...pods);
    // It stays so: it is not found to be there, and then away again.
    const losses = pods.map((pod) => linesOf(pod, 'Redis is unavailable').length);
    for (const pod of pods) {
      await eventually('a second try', () => linesOf(pod, 'Redis is unavailable').length > 0);
      expect(linesOf(pod, 'Redis is unavailable')[0]).toMatch(/not answered for two seconds|too late/);
    }
    talk.stop();
    for (const { network } of far) network.resume();
    await ready(...pods);
    expect(pods.map((pod) => linesOf(pod, 'Redis is unavailable').length)).toEqual(losses);
    await expectEverythingOnce(speakers, speakers);
  },
);

test('Redis that answers each command after 1.4 s is there', SLOW, async () => {
  const redis = await redisOf();
  const { pod, network } = await farPod(redis.port);
  const alice = await Witness.join(pod, 'room', 'alice');
  for (const way of WAYS) network.delay(way, 700);
  const talk = startTalk([alice], 50);
  await eventually('talk', () => alice.heard().length > 100);
  talk.stop();
  await expectEverythingOnce([alice], [alice]);
  expect(alice.heard().filter(({ isProvisional }) => isProvisional)).toEqual([]);
  expect(linesOf(pod, 'Redis is unavailable')).toEqual([]);
});

function linesOf(pod: PodProcess, text: string): string[] {
  return pod
    .output()
    .split('\n')
    .filter((line) => line.includes(text));
}
