import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  clientIds,
  degraded,
  eventually,
  get,
  podOn,
  podsOn,
  ready,
  readiness,
  redisOf,
  SLOW,
} from './world.ts';
import { expectEverythingOnce, startTalk } from './judge.ts';
import type { PodProcess } from '../support/stack/pods.ts';
import { networkTo } from './network.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { Witness } from './witness.ts';

interface Talkers {
  readonly speakers: readonly Witness[];
  readonly everybody: readonly Witness[];
}

/** Two who speak and one who listens on each pod. */
async function talkersOn(pods: readonly PodProcess[]): Promise<Talkers> {
  const speakers: Witness[] = [];
  const listeners: Witness[] = [];
  for (const [index, pod] of pods.entries()) {
    speakers.push(await Witness.join(pod, 'room', `first-${index}`));
    const second = await Witness.join(pod, 'room', `second-${index}`);
    second.wantsAcks = false;
    speakers.push(second);
    listeners.push(await Witness.join(pod, 'room', `quiet-${index}`));
  }
  return { speakers, everybody: [...speakers, ...listeners] };
}

/** Everybody talks while the fault lasts and after; nobody misses anything, has it twice or is told of a loss. */
async function unharmedBy(
  pods: readonly PodProcess[],
  fault: (everybody: readonly Witness[]) => Promise<void>,
): Promise<void> {
  const { speakers, everybody } = await talkersOn(pods);
  const talk = startTalk(speakers);
  const [first = everybody[0]] = speakers;
  const talkOn = async (): Promise<void> => {
    const so = first?.said ?? 0;
    await eventually('more talk', () => (first?.said ?? 0) > so + 50);
  };
  await talkOn();
  await fault(everybody);
  await ready(...pods);
  await talkOn();
  talk.stop();
  await expectEverythingOnce(everybody, speakers);
  for (const one of everybody) expect(one.losses()).toEqual([]);
}

/** Resolves once the pod has Redis' answers to all that it asked before: they come in order on one connection. */
async function answered(pod: PodProcess): Promise<void> {
  expect((await get(pod, '/api/rooms/another-room/history')).status).toBe(200);
}

/** Resolves once every pod listens again by a connection it did not have before. */
async function reconnected(
  redis: RedisServer,
  kind: Parameters<typeof clientIds>[1],
  before: readonly string[],
): Promise<void> {
  await eventually('new connections', async () => {
    const now = await clientIds(redis, kind);
    return now.length === before.length && now.every((id) => !before.includes(id));
  });
}

test.for(['crosspod-subscriber:', 'crosspod:'] as const)(
  'connections killed under load, time and again: %s',
  SLOW,
  async (kind) => {
    const redis = await redisOf();
    const pods = await podsOn(redis);
    await unharmedBy(pods, async () => {
      for (let n = 0; n < 3; n += 1) {
        const before = await clientIds(redis, kind);
        expect(before).toHaveLength(2);
        for (const id of before) await redis.command('CLIENT', 'KILL', 'ID', id);
        await reconnected(redis, kind, before);
      }
    });
  },
);

test('scripts flushed under load', SLOW, async () => {
  const redis = await redisOf();
  const pods = await podsOn(redis);
  await unharmedBy(pods, async () => {
    await redis.command('SCRIPT', 'FLUSH', 'SYNC');
  });
});

test.for(['all', 'crosspod:', 'crosspod-subscriber:'] as const)(
  'connections of one pod that go silent under load: %s',
  SLOW,
  async (kind) => {
    const redis = await redisOf();
    const network = await networkTo(redis);
    const broken = await podOn(network);
    const pods = [await podOn(redis), broken];
    await unharmedBy(pods, async (everybody) => {
      const known = await clientIds(redis, 'crosspod:');
      const subscribers = await clientIds(redis, 'crosspod-subscriber:');
      const changed = async (): Promise<boolean> => {
        const [links, subs] = [
          await clientIds(redis, 'crosspod:'),
          await clientIds(redis, 'crosspod-subscriber:'),
        ];
        const newLink = links.some((id) => !known.includes(id));
        const newSub = subs.some((id) => !subscribers.includes(id));
        return (newLink || kind === 'crosspod-subscriber:') && (newSub || kind === 'crosspod:');
      };
      await network.silence(kind);
      await eventually('new connections', changed);
      await eventually('a pod that has its Redis', async () => (await readiness(broken)) === '200 ready');
      // The old connections' packets arrive when all was said again by new ones.
      const again = (): boolean =>
        everybody.some(({ frames }) => frames.some(({ provisional_id: id }) => id !== undefined));
      if (kind !== 'crosspod-subscriber:') await eventually('what waited', again);
      network.deliverLate();
    });
  },
);

test(
  'what Redis took although this pod lacks what came before stays before what is said while it is away',
  SLOW,
  async () => {
    const redis = await redisOf();
    const network = await networkTo(redis);
    const broken = await podOn(network);
    const pods = [await podOn(redis), broken];
    await ready(...pods);
    const bob = await Witness.join(pods[0] ?? broken, 'room', 'bob');
    const carol = await Witness.join(broken, 'room', 'carol');
    const quiet = await Witness.join(broken, 'room', 'quiet');
    const inHistory = (count: number): Promise<void> =>
      eventually(
        `${count} messages`,
        async () => (await redis.command('XLEN', 'realtime:history:room')) === count,
      );
    // Nobody on the broken pod hears of this one: there is a gap before what comes next.
    await network.silence('crosspod-subscriber:');
    bob.say();
    await inHistory(1);
    carol.say();
    await inHistory(2);
    // The answer to the pod has left; its echo never comes, and when that is certain the gap cannot be read.
    await answered(broken);
    network.cut();
    await degraded(broken);
    carol.say();
    await eventually('what was said while Redis is away', () =>
      [carol, quiet].every((one) => one.heard().some(({ by, n }) => by === 'carol' && n === 2)),
    );
    network.mend();
    await ready(...pods);
    await expectEverythingOnce([bob, carol, quiet], [bob, carol]);
    for (const one of [bob, carol, quiet]) expect(one.losses()).toEqual([]);
  },
);

test('and is published again by the next master if that does not have it', SLOW, async () => {
  const redis = await redisOf();
  const next = await redisOf();
  await next.command('REPLICAOF', '127.0.0.1', String(redis.port));
  await eventually('a replica', async () => (await next.replication()).get('master_link_status') === 'up');
  const networks = [await networkTo(redis), await networkTo(redis)];
  const pods = await Promise.all(networks.map((network) => podOn(network)));
  await ready(...pods);
  const [here, there] = pods as [PodProcess, PodProcess];
  const bob = await Witness.join(here, 'room', 'bob');
  const carol = await Witness.join(there, 'room', 'carol');
  for (const network of networks) await network.silence('crosspod-subscriber:');
  const inHistory = (server: RedisServer, count: number): Promise<void> =>
    eventually(
      `${count} messages`,
      async () => (await server.command('XLEN', 'realtime:history:room')) === count,
    );
  bob.say();
  await inHistory(next, 1);
  await next.command('REPLICAOF', 'NO', 'ONE');
  carol.say();
  await inHistory(redis, 2);
  await answered(there);
  for (const network of networks) network.cut();
  await degraded(...pods);
  carol.say();
  await eventually('what was said while Redis is away', () =>
    carol.heard().some(({ by, n }) => by === 'carol' && n === 2),
  );
  for (const network of networks) network.mend(next);
  await ready(...pods);
  await expectEverythingOnce([bob, carol], [bob, carol]);
  for (const one of [bob, carol]) expect(one.losses()).toEqual([]);
});

test(
  'what a pod that was cut off could not write is not written over what was said since',
  SLOW,
  async () => {
    const redis = await redisOf();
    const network = await networkTo(redis);
    const [whole, broken] = [await podOn(redis), await podOn(network)];
    const [laptop, phone] = [
      await Witness.join(whole, 'room', 'alice'),
      await Witness.join(broken, 'room', 'alice'),
    ];
    const carol = await Witness.join(broken, 'room', 'carol');
    network.cut();
    await degraded(broken);
    for (const one of [phone, carol]) {
      const data = { status: 'away', meta: { from: 'phone' } };
      one.client.send({ type: 'presence', room: 'room', data, ref: 'said' });
      await one.client.next({ type: 'ack', ref: 'said' });
    }
    // What cannot be written is dated by its age when it is written; on a busy machine that is some milliseconds too late.
    await sleep(1_000);
    laptop.client.send({
      type: 'presence',
      room: 'room',
      data: { status: 'online', meta: { from: 'laptop' } },
    });
    const statusOf = async (pod: PodProcess, user: string): Promise<unknown> => {
      const { body } = await get(pod, '/api/rooms/room/presence');
      const members = (body['members'] ?? []) as { user_id: string; meta: unknown }[];
      return members.find((one) => one.user_id === user)?.meta;
    };
    await eventually('the laptop', async () =>
      JSON.stringify(await statusOf(whole, 'alice')).includes('laptop'),
    );
    network.mend();
    await ready(broken);
    // What it could not write it writes then.
    await eventually('carol', async () => JSON.stringify(await statusOf(whole, 'carol')).includes('phone'));
    for (const pod of [whole, broken]) expect(await statusOf(pod, 'alice')).toEqual({ from: 'laptop' });
  },
);
