import { expect, test } from 'vitest';
import { CLOCK_ENV, stepClock } from '../model/clock.ts';
import { expectEverythingOnce, saidBy, startTalk } from './judge.ts';
import { eventually, get, podsOn, presenceIs, readiness, redisOf, SLOW } from './world.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Witness } from './witness.ts';

/**
 * The fault lasts longer than the lease of these pods, and than what their clocks are measured by. Nothing that could be
 * waited for must happen meanwhile.
 */
const HELD_MS = 5_000;
const STEPS = [12_000, 400_000, -60_000] as const;
const USERS = ['alice', 'bob', 'carol'];

interface Page {
  readonly messages: readonly { id: string; from: string; data: { n: number } }[];
  readonly recovered?: boolean;
}

async function history(pod: PodProcess, after?: string): Promise<Page> {
  const { body } = await get(
    pod,
    `/api/rooms/room/history?limit=1000${after === undefined ? '' : `&after=${after}`}`,
  );
  return body as unknown as Page;
}

test.for(STEPS)(
  'the clock of one pod is set by %i ms while it is connected: nobody notices, and no history goes',
  SLOW,
  async (step) => {
    const redis = await redisOf();
    const [here, there] = await podsOn(redis, { ...CLOCK_ENV, PRESENCE_GRACE_SECONDS: '0' });
    const alice = await Witness.join(here, 'room', 'alice');
    const bob = await Witness.join(there, 'room', 'bob');
    const carol = await Witness.join(there, 'room', 'carol');
    const talk = startTalk([alice, bob], 50);
    await presenceIs([here, there], 'room', USERS);
    await eventually('a message', () => carol.heard().length > 0);
    const [first] = (await history(there)).messages;
    const before = carol.client.all({ type: 'presence' }).length;
    stepClock(here, step);
    await sleep(HELD_MS);
    // Reads of the pod whose clock is wrong must not take away what others are to have.
    const seen = await history(here, first?.id);
    expect(seen.recovered).toBe(true);
    await sleep(HELD_MS);
    stepClock(here, 0);
    await sleep(HELD_MS);
    talk.stop();
    await expectEverythingOnce([alice, bob, carol], [alice, bob]);
    const said = [...saidBy([alice, bob]).values()].reduce((sum, count) => sum + count, 0);
    for (const pod of [here, there]) {
      const { messages } = await history(pod);
      expect(messages).toHaveLength(said);
      expect(messages.map(({ id }) => id)).toEqual(
        carol
          .heard()
          .map(({ id }) => id)
          .filter((id) => messages.some((one) => one.id === id)),
      );
      expect(await readiness(pod)).toBe('200 ready');
    }
    await presenceIs([here, there], 'room', USERS);
    expect(carol.client.all({ type: 'presence' }).slice(before)).toEqual([]);
    for (const one of [alice, bob, carol]) expect(one.losses()).toEqual([]);
    for (const pod of [here, there]) {
      expect(pod.output()).not.toContain('cleaned up after a dead pod');
      expect(pod.output()).not.toMatch(/"level":(?:40|50)/);
    }
  },
);
