import { expect, onTestFinished, test } from 'vitest';
import type { Haproxy } from '../support/stack/haproxy.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { startStack } from '../support/stack/stack.ts';
import { eventually } from '../faults/world.ts';
import { type Crowd, expectQuietPresence, gather, type Participant } from './crowd.ts';

const SLOW = { timeout: 280_000 };
const ROOMS = 50;
const PER_ROOM = 10;
/** Each says something so often. */
const EVERY_MS = 4_000;
const WINDOW_SECONDS = 10;
const LEASE_SECONDS = 6;

const SETTINGS = {
  HISTORY_SIZE: '10000',
  // HAProxy has noticed by then that the pod is not ready.
  DRAIN_DELAY_SECONDS: '2',
  DRAIN_WINDOW_SECONDS: String(WINDOW_SECONDS),
  POD_LEASE_SECONDS: String(LEASE_SECONDS),
};

async function fourPods(): Promise<{ pods: readonly PodProcess[]; crowd: Crowd; haproxy: Haproxy }> {
  const stack = await startStack({ pods: 4, env: SETTINGS });
  onTestFinished(() => stack.stop());
  const { pods, haproxy } = stack;
  if (haproxy === undefined) throw new Error('there is no HAProxy');
  const crowd = await gather(haproxy.wsUrl, ROOMS, PER_ROOM);
  crowd.forgetPresence();
  return { pods, crowd, haproxy };
}

async function isServed({ name }: PodProcess, haproxy: Haproxy): Promise<boolean> {
  return (await haproxy.podStates())?.get(name) === 'UP';
}

/** The most of these moments that lie within one second. */
function mostInASecond(moments: readonly number[]): number {
  const sorted = moments.toSorted((a, b) => a - b);
  return Math.max(...sorted.map((start) => sorted.filter((at) => at >= start && at < start + 1_000).length));
}

test('a rolling restart of four pods under 500 talking clients', SLOW, async () => {
  const { pods, crowd, haproxy } = await fourPods();
  const talk = crowd.startTalk(EVERY_MS);
  for (const pod of pods) {
    const before = Date.now();
    expect(await pod.stop()).toEqual({ code: 0, signal: null });
    const after = (moments: readonly number[]): number[] => moments.filter((at) => at >= before);
    const returns = crowd.people.flatMap((one) => after(one.returns));
    const summons = crowd.people.flatMap((one) => after(one.summons));
    console.log(
      `${pod.name}: ${returns.length} moved, most in a second ${mostInASecond(returns)}, ` +
        `as the pods wanted it ${mostInASecond(summons)}`,
    );
    // By the clock of the pods: this process is too busy to be in time itself.
    expect(summons).toHaveLength(returns.length);
    expect(mostInASecond(summons)).toBeLessThanOrEqual((1.5 * summons.length) / WINDOW_SECONDS);
    await pod.start();
    await eventually(`${pod.name} to be served`, () => isServed(pod, haproxy));
  }
  talk.stop();
  await crowd.expectNothingLost();
  expectQuietPresence(crowd);
  const codes = new Set(crowd.people.flatMap(({ ends }) => ends.map(({ code }) => code)));
  expect([...codes]).toEqual([1012]);
});

test('four pods killed one after the other under 500 talking clients', SLOW, async () => {
  const { pods, crowd, haproxy } = await fourPods();
  const talk = crowd.startTalk(EVERY_MS);
  const stayAway: Participant[] = [];
  for (const pod of pods) {
    const killed = Date.now();
    const gone = loseOne(crowd, stayAway);
    await pod.kill();
    const person = await gone;
    const mates = (crowd.rooms.get(person.roomName) ?? []).filter((one) => !stayAway.includes(one));
    for (const mate of mates) {
      const knows = (): boolean => mate.told.some((member) => member.user_id === person.name);
      await eventually(`${mate.name} to know that ${person.name} left`, knows);
      // A lease is renewed every third of it, or a little later.
      expect(Date.now() - killed, 'no sooner than the lease').toBeGreaterThan((LEASE_SECONDS * 1_000) / 2);
    }
    await pod.start();
    await eventually(`${pod.name} to be served`, () => isServed(pod, haproxy));
  }
  talk.stop();
  await crowd.expectNothingLost(stayAway);
  for (const { name, told, roomName } of crowd.people.filter((one) => !stayAway.includes(one))) {
    const left = stayAway.filter((one) => one.roomName === roomName).map((one) => `${one.name} offline`);
    expect(told.map((one) => `${one.user_id} ${one.status}`).toSorted(), `told to ${name}`).toEqual(
      left.toSorted(),
    );
  }
});

/** Resolves with the first who loses its line, and does not come back. */
function loseOne(crowd: Crowd, stayAway: Participant[]): Promise<Participant> {
  return new Promise((resolve) => {
    let found = false;
    for (const person of crowd.people) {
      const off = person.client.onState((state) => {
        if (state !== 'reconnecting' || found) return;
        found = true;
        off();
        person.client.close();
        stayAway.push(person);
        resolve(person);
      });
    }
  });
}
