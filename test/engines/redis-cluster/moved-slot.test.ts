import { expect, test } from 'vitest';
import { clusterAndPods, historyIn, leavesSeenBy } from './world.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Witness } from '../../faults/witness.ts';
import { type Crowd, crowdOn, throughout } from '../../faults/crowd.ts';
import { eventually, podOn, presenceIs, SLOW } from '../../faults/world.ts';
import { expectEverythingOnce } from '../../faults/judge.ts';

/** Everybody has said more, which nobody needs to have heard yet. */
async function moreSaid({ speakers }: Crowd): Promise<void> {
  const before = speakers.map(({ said }) => said);
  await eventually('more to be said', () => speakers.every(({ said }, n) => said > (before[n] ?? 0) + 25));
}

async function moreHeard({ quiet }: Crowd): Promise<void> {
  const before = quiet.heard().length;
  await eventually('more to be heard', () => quiet.heard().length > before + 50);
}

test(
  'a slot that goes from master to master under load loses nothing, and nobody is told so',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const crowd = await crowdOn(pods);
    await throughout(crowd, async () => {
      for (let round = 0; round < 3; round += 1) {
        const { slot, master } = await historyIn(cluster, crowd.room);
        const to = (await cluster.masters()).find((server) => server !== master) ?? master;
        const from = await cluster.beginMove(slot, to);
        // Some of the room's keys are here and some there: neither server takes its scripts.
        await cluster.moveKeys(slot, from, to, 1);
        await moreSaid(crowd);
        await cluster.endMove(slot, from, to);
        await moreHeard(crowd);
      }
    });
    await crowd.absent.return(pods[0]);
    expect(await crowd.absent.verdict()).toMatchObject({ recovered: true });
    const witnesses = [...crowd.everybody, crowd.absent];
    await expectEverythingOnce(witnesses, crowd.speakers);
    for (const one of witnesses)
      expect(one.losses().filter((reason) => reason !== 'unavailable')).toEqual([]);
    await presenceIs(pods, crowd.room, ['alice', 'bob', 'carol', 'quiet', 'absent']);
  },
);

test(
  'a room that only one pod speaks in is heard on the other after its slot went elsewhere',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const { speakers, quiet, room } = await crowdOn(pods);
    const { slot, master } = await historyIn(cluster, room);
    const to = (await cluster.masters()).find((server) => server !== master) ?? master;
    await cluster.move(slot, to);
    const [alice] = speakers;
    alice?.say();
    await expectEverythingOnce([quiet], speakers);
    await cluster.move(slot, master);
    alice?.say();
    await expectEverythingOnce([quiet], speakers);
  },
);

test(
  'slots that go one after the other for longer than a lease: nobody is announced as gone',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const rooms = Array.from({ length: 5 }, (_, number) => `moved-${number}`);
    const watchers: Witness[] = [];
    for (const room of rooms) {
      await Witness.join(pods[0], room, 'alice');
      watchers.push(await Witness.join(pods[1], room, 'bob'));
    }
    for (const room of rooms) {
      const { slot, master } = await historyIn(cluster, room);
      const to = (await cluster.masters()).find((server) => server !== master) ?? master;
      const from = await cluster.beginMove(slot, to);
      await cluster.moveKeys(slot, from, to, 1);
      // Somebody comes whom nobody can write down at present.
      await Witness.join(pods[0], room, 'carol');
      // The fault itself: five such moves last longer than a lease.
      await sleep(1_000);
      await cluster.endMove(slot, from, to);
    }
    for (const room of rooms) await presenceIs(pods, room, ['alice', 'bob', 'carol']);
    // A pod that dies now is buried once its lease is over; nobody was buried before it.
    const other = await podOn(cluster);
    await Witness.join(other, 'last', 'dora');
    const last = await Witness.join(pods[1], 'last', 'bob');
    await other.kill();
    await eventually('dora to leave', () => leavesSeenBy(last).length > 0);
    for (const watcher of watchers) expect(leavesSeenBy(watcher)).toEqual([]);
  },
);
