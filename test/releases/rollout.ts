import { expect, onTestFinished, test } from 'vitest';
import { expectQuietPresence, gather } from '../client-faults/crowd.ts';
import { eventually, SLOW } from '../faults/world.ts';
import { type Haproxy, startHaproxy } from '../support/stack/haproxy.ts';
import type { Release, World } from './world.ts';
import { IN_ORDER } from '../integration/ending.ts';
import type { PodProcess } from '../support/stack/pods.ts';

const SETTINGS = {
  // HAProxy has noticed by then that the pod is not ready.
  DRAIN_DELAY_SECONDS: '1',
  DRAIN_WINDOW_SECONDS: '1',
  PRESENCE_GRACE_SECONDS: '10',
};

async function areServed(haproxy: Haproxy): Promise<boolean> {
  const states = [...((await haproxy.podStates())?.values() ?? [])];
  return states.length > 0 && states.every((state) => state === 'UP');
}

/** Replaces the pods of one release by those of the other, one by one, under clients that talk all the time. */
export function rolloutTest(here: World): void {
  test('two pods are upgraded and rolled back one by one: clients miss nothing', SLOW, async () => {
    const pods: PodProcess[] = await Promise.all(
      ['pod-1', 'pod-2'].map((name) => here.pod('earlier', SETTINGS, name)),
    );
    const haproxy = await startHaproxy(pods);
    onTestFinished(() => haproxy.discard());
    const crowd = await gather(haproxy.wsUrl, 3, 5);
    crowd.forgetPresence();
    const talk = crowd.startTalk(200);
    const replaceBy = async (release: Release): Promise<void> => {
      for (const [n, pod] of pods.entries()) {
        expect(await pod.stop()).toEqual(IN_ORDER);
        pods[n] = await here.pod(release, { ...SETTINGS, ...pod.ports });
        await eventually('all pods to be served', () => areServed(haproxy));
      }
    };
    await replaceBy('current');
    await replaceBy('earlier');
    talk.stop();
    await crowd.expectNothingLost();
    expectQuietPresence(crowd);
    const ends = crowd.people.flatMap(({ ends: all }) => all.map(({ code }) => code));
    expect([...new Set(ends)]).toEqual([1012]);
  });
}
