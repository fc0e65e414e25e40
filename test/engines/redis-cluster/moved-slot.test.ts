import { expect, test } from 'vitest';
import { clusterAndPods, historyIn, leavesSeenBy } from './world.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Witness } from '../../faults/witness.ts';
import { type Crowd, crowdOn, throughout } from '../../faults/crowd.ts';
import { eventually, podOn, presenceIs, SLOW } from '../../faults/world.ts';
import { expectEverythingOnce } from '../../faults/judge.ts';

/** Resolves once all publishers have published more; it need not be delivered yet. */
async function moreSaid({ speakers }: Crowd): Promise<void> {
  const before = speakers.map(({ said }) => said);
  await eventually('more to be said', () => speakers.every(({ said }, n) => said > (before[n] ?? 0) + 25));
}

async function moreHeard({ quiet }: Crowd): Promise<void> {
  const before = quiet.heard().length;
  await eventually('more to be heard', () => quiet.heard().length > before + 50);
}

test(
  'a slot moves from master to master under load: nothing is lost, and no client gets history_lost',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const crowd = await crowdOn(pods);
    await throughout(crowd, async () => {
      for (let round = 0; round < 3; round += 1) {
        const { slot, master } = await historyIn(cluster, crowd.room);
        const to = (await cluster.masters()).find((server) => server !== master) ?? master;
        const from = await cluster.beginMove(slot, to);
        // Each of the two masters has some of the room's keys, so neither runs its scripts.
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
  'a room with publishers on one pod only is delivered on the other pod after its slot has moved',
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

test('slots move one after the other for longer than a lease: no leave is announced', SLOW, async () => {
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
    // A user joins whose row cannot be written at present.
    await Witness.join(pods[0], room, 'carol');
    // The fault itself: five such moves last longer than a lease.
    await sleep(1_000);
    await cluster.endMove(slot, from, to);
  }
  for (const room of rooms) await presenceIs(pods, room, ['alice', 'bob', 'carol']);
  // A pod that dies now is reaped when its lease ends; no pod was reaped before.
  const other = await podOn(cluster);
  await Witness.join(other, 'last', 'dora');
  const last = await Witness.join(pods[1], 'last', 'bob');
  await other.kill();
  await eventually('dora to leave', () => leavesSeenBy(last).length > 0);
  for (const watcher of watchers) expect(leavesSeenBy(watcher)).toEqual([]);
});
