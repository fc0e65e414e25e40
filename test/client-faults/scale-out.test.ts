import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Haproxy } from '../support/stack/haproxy.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { startStack } from '../support/stack/stack.ts';
import { eventually, get, SLOW } from '../faults/world.ts';
import { metric } from '../many-pods/world.ts';
import { expectQuietPresence, gather } from './crowd.ts';

const ROOMS = 20;
const PER_ROOM = 10;
/** Each says something so often. */
const EVERY_MS = 2_000;
const PERCENT = 20;
/** Pods look at each other once a second, which cannot be seen from outside. */
const SOME_TICKS_MS = 4_000;

const SETTINGS = {
  HISTORY_SIZE: '10000',
  REBALANCE_PERCENT: String(PERCENT),
  REBALANCE_PER_SECOND: '10',
  // Also on a loaded machine everybody who is moved is back by then.
  PRESENCE_GRACE_SECONDS: '30',
};

interface Cluster {
  readonly pods: readonly PodProcess[];
  /** Those that are not there yet. */
  readonly more: readonly PodProcess[];
  readonly haproxy: Haproxy;
}

/** HAProxy knows four pods, of which the last two are down. */
async function halfACluster(): Promise<Cluster> {
  const stack = await startStack({ pods: 4, env: SETTINGS });
  onTestFinished(() => stack.stop());
  const { pods, haproxy } = stack;
  if (haproxy === undefined) throw new Error('there is no HAProxy');
  const more = pods.slice(2);
  await Promise.all(more.map((pod) => pod.stop()));
  const down = async (): Promise<boolean> => {
    const states = await haproxy.podStates();
    return more.every(({ name }) => states?.get(name)?.startsWith('DOWN'));
  };
  await eventually('HAProxy to miss two pods', down);
  return { pods, more, haproxy };
}

async function countsOf(pods: readonly PodProcess[]): Promise<number[]> {
  return Promise.all(pods.map(async (pod) => Number((await get(pod, '/ws/stats')).body['connections'])));
}

async function movedBy(pods: readonly PodProcess[]): Promise<number[]> {
  return Promise.all(pods.map((pod) => metric(pod, 'realtime_rebalanced_connections')));
}

/** Resolves once nobody is moved any more, with how many each has moved. */
async function atRest(pods: readonly PodProcess[]): Promise<number[]> {
  let moved: number[] = [];
  await eventually(
    'rest',
    async () => {
      const before = moved;
      await sleep(SOME_TICKS_MS);
      moved = await movedBy(pods);
      return before.join() === moved.join();
    },
    () => moved.join(),
  );
  return moved;
}

test(
  'two pods under 200 talking clients become four: the new ones fill up, and nobody notices',
  SLOW,
  async () => {
    const { pods, more, haproxy } = await halfACluster();
    const crowd = await gather(haproxy.wsUrl, ROOMS, PER_ROOM);
    crowd.forgetPresence();
    const talk = crowd.startTalk(EVERY_MS);
    const before = await countsOf(pods.slice(0, 2));
    await Promise.all(more.map((pod) => pod.start()));
    const mean = crowd.people.length / pods.length;
    const isEven = (count: number): boolean => Math.abs(count - mean) <= (mean * PERCENT) / 100;
    let counts: number[] = [];
    await eventually(
      'the pods to be alike',
      async () => (counts = await countsOf(pods)).every(isEven),
      () => counts.join(),
    );
    const moved = await atRest(pods);
    counts = await countsOf(pods);
    console.log(`connections ${before.join()} became ${counts.join()}, moved ${moved.join()}`);
    expect(counts.filter(isEven)).toHaveLength(4);
    talk.stop();
    await crowd.expectNothingLost();
    expectQuietPresence(crowd);
    const ends = crowd.people.map((one) => one.ends.map(({ code }) => code));
    expect(ends.filter((codes) => codes.length > 1)).toEqual([]);
    const all = ends.flat();
    expect(new Set(all)).toEqual(new Set([1012]));
    expect(moved.reduce((sum, one) => sum + one, 0)).toBe(all.length);
    for (const { states } of crowd.people.filter(({ ends }) => ends.length === 0)) {
      expect(states).toEqual(['connected']);
    }
  },
);
