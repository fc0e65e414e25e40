import { expect, test } from 'vitest';
import { clusterOf, historyIn } from './world.ts';
import { connectionsIn, eventually, get, podsOn, presenceIs, ready, SLOW } from '../../faults/world.ts';
import type { PodProcess } from '../../support/stack/pods.ts';
import type { RedisCluster } from '../../support/stack/redis-cluster.ts';
import { open } from '../../support/client.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Witness } from '../../faults/witness.ts';

/** No lease ends meanwhile: nothing is written anew because of that. */
const LASTING = { POD_LEASE_SECONDS: '60', PRESENCE_TTL_SECONDS: '120', MAX_CONNECTIONS_PER_USER: '1' };

async function world(settings = LASTING): Promise<{ cluster: RedisCluster; pods: [PodProcess, PodProcess] }> {
  const cluster = await clusterOf();
  const pods = await podsOn(cluster, settings);
  await ready(...pods);
  return { cluster, pods };
}

/** While the slot is on its way, with so many of its keys already gone. */
async function whileMoving(
  cluster: RedisCluster,
  slot: number,
  keys: number,
  task: () => Promise<void>,
): Promise<void> {
  const master = await cluster.masterOf(slot);
  const to = (await cluster.masters()).find((server) => server !== master) ?? master;
  const from = await cluster.beginMove(slot, to);
  if (keys > 0) await cluster.moveKeys(slot, from, to, keys);
  await task();
  await cluster.endMove(slot, from, to);
}

/** A room that the pods have counted. */
async function counted(pod: PodProcess, room: string, number: number): Promise<void> {
  await eventually(`${number} in ${room}`, async () => (await connectionsIn(pod, room)) === number);
}

test(
  'who leaves as the last of a pod, or of all, while the slot of the room is on its way, is gone and told no error',
  SLOW,
  async () => {
    // Who leaves after the slot has moved, as the last that is known, is shown for a lease.
    const { cluster, pods } = await world({ ...LASTING, POD_LEASE_SECONDS: '5' });
    const bob = await Witness.join(pods[1], 'blue', 'bob');
    for (const [user, left] of [
      ['alice', ['bob']],
      ['bob', []],
    ] as const) {
      const one = user === 'bob' ? bob : await Witness.join(pods[0], 'blue', user);
      const { slot } = await historyIn(cluster, 'blue');
      await whileMoving(cluster, slot, 0, async () => {
        one.client.send({ type: 'leave', room: 'blue', ref: 'r' });
        await one.client.next({ event: 'left' });
      });
      expect(one.client.frames.filter(({ type }) => type === 'error')).toEqual([]);
      await presenceIs(pods, 'blue', left);
    }
  },
);

test.each([
  ['that still has all', 0],
  ['of which the keys are gone', 1_000],
])('rooms are counted aright after somebody went from one to another in a slot %s', SLOW, async (_, keys) => {
  const { cluster, pods } = await world();
  const bob = await open(pods[1], '/ws?dialect=channel&user_id=bob');
  const alice = await open(pods[0], '/ws?dialect=channel&user_id=alice');
  bob.send({ type: 'subscribe', channel: 'red' });
  alice.send({ type: 'subscribe', channel: 'blue' });
  await counted(pods[1], 'red', 1);
  await counted(pods[1], 'blue', 1);
  await whileMoving(cluster, await cluster.slotOf('{pods}'), keys, async () => {
    alice.send({ type: 'unsubscribe', channel: 'blue' });
    alice.send({ type: 'subscribe', channel: 'green' });
    await alice.next({ type: 'subscribed', channel: 'green' });
    // So long after a change the numbers are written; nothing tells that it was tried in vain.
    await sleep(300);
  });
  await counted(pods[1], 'green', 1);
  await counted(pods[1], 'blue', 0);
  await counted(pods[1], 'red', 1);
});

test(
  'a place that could not be given back while the slot was on its way is free after it',
  SLOW,
  async () => {
    const { cluster, pods } = await world();
    const alice = await open(pods[0], '/ws?dialect=channel&user_id=alice');
    await whileMoving(cluster, await cluster.slotOf('{pods}'), 1_000, async () => {
      await alice.close(1000);
      // It was tried, which nothing tells.
      await sleep(300);
    });
    // A pod that takes the directory for away counts its own connections only.
    await eventually('a directory', async () => (await get(pods[1], '/api/rooms')).status === 200);
    const comesIn = (): Promise<boolean> =>
      open(pods[1], '/ws?dialect=channel&user_id=alice').then(
        () => true,
        () => false,
      );
    await eventually('a free place', comesIn);
  },
);

test(
  'what somebody said while the slot was on its way is written after it, also where the pod registered anew meanwhile',
  SLOW,
  async () => {
    const { cluster, pods } = await world();
    const alice = await Witness.join(pods[0], 'blue', 'alice');
    const { slot } = await historyIn(cluster, 'blue');
    await whileMoving(cluster, slot, 1_000, async () => {
      const data = { status: 'away', meta: { at: 'lunch' } };
      alice.client.send({ type: 'presence', room: 'blue', data, ref: 'said' });
      await alice.client.next({ type: 'ack', ref: 'said' });
      const before = generationsOf(pods[0]);
      for (const server of await cluster.masters()) await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await eventually('new connections', () => generationsOf(pods[0]) >= before + 3);
      // What was said is written again by the new connections, in vain: nothing tells of that.
      await sleep(500);
    });
    await eventually('what alice said', async () => {
      const { body } = await get(pods[1], '/api/rooms/blue/presence');
      return JSON.stringify(body).includes('lunch');
    });
  },
);

/** How often a server was found (again). */
function generationsOf(pod: PodProcess): number {
  return pod.output().split('Redis is available').length - 1;
}
