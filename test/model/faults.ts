import type { Part, PartState } from '../../loadtest/stack/part.ts';
import type { RedisCluster } from '../../loadtest/stack/redis-cluster.ts';
import type { RedisServer } from '../../loadtest/stack/redis-server.ts';
import { ROOMS } from './cast.ts';
import { SETTINGS } from './settings.ts';
import type { Random } from '../hostile/random.ts';
import type { Story } from './story.ts';
import type { World } from './world.ts';
import { setTimeout as lasts } from 'node:timers/promises';

interface Scene {
  readonly world: World;
  readonly story: Story;
  readonly random: Random;
}

/** Asked anew: another fault may have changed it meanwhile. */
function stateOf(part: Part): PartState {
  return part.state;
}

/** Breaks something, and has mended it when it resolves. */
type Fault = (scene: Scene) => Promise<void>;

const podKilled: Fault = async ({ world, story, random }) => {
  const pod = random.pick(world.pods);
  if (pod.state !== 'running') return;
  story.note(`FAULT ${pod.name} is killed`);
  await pod.kill();
  await lasts(random.int(0, 4_000));
  await pod.start();
  story.note(`${pod.name} runs again`);
};

const podFrozen: Fault = async ({ world, story, random }) => {
  const pod = random.pick(world.pods);
  if (pod.state !== 'running') return;
  story.note(`FAULT ${pod.name} is frozen`);
  pod.freeze();
  await lasts(random.int(300, 6_000));
  if (stateOf(pod) === 'frozen') pod.thaw();
  story.note(`${pod.name} is thawed`);
};

const redisFrozen: Fault = async ({ world, story }) => {
  const redis = await world.master();
  if (redis.state !== 'running') return;
  story.note(`FAULT ${redis.name} is frozen`);
  // Long enough for Sentinels to choose another.
  story.losesData ||= world.group !== undefined || world.cluster !== undefined;
  redis.freeze();
  await lasts(3_000);
  if (stateOf(redis) === 'frozen') redis.thaw();
  story.note(`${redis.name} is thawed`);
};

const natsFrozen: Fault = async ({ world: { nats }, story }) => {
  if (nats?.state !== 'running') return;
  story.note('FAULT NATS is frozen');
  nats.freeze();
  await lasts(3_000);
  if (stateOf(nats) === 'frozen') nats.thaw();
  story.note('NATS is thawed');
};

const natsKilled: Fault = async ({ world: { nats }, story, random }) => {
  if (nats?.state !== 'running') return;
  story.note('FAULT NATS is killed');
  await nats.kill();
  await lasts(random.int(0, 3_000));
  await nats.start();
  story.note('NATS runs again');
};

const redisEmptied: Fault = async ({ world, story, random }) => {
  const [redis] = world.servers;
  if (redis?.state !== 'running') return;
  story.note(`FAULT ${redis.name} is killed`);
  story.losesData = true;
  await redis.kill();
  await lasts(random.int(0, 3_000));
  await redis.start();
  story.note(`${redis.name} runs again, empty`);
};

const masterKilled: Fault = async ({ world, story }) => {
  const old = await world.master();
  if (old.state !== 'running') return;
  story.note(`FAULT ${old.name}, the master, is killed`);
  story.losesData = true;
  const { cluster } = world;
  const slots = cluster && (await cluster.slotsOf(old));
  await old.kill();
  const master = cluster
    ? await anotherMaster(cluster, old, slots ?? [])
    : await world.group?.masterOtherThan(old);
  story.note(`${master?.name} is the master; ${old.name} is started again`);
  await old.start();
};

const failover: Fault = async ({ world, story }) => {
  story.note('FAULT another master is asked for');
  story.losesData = true;
  const master = await world.group?.failover().catch((error: unknown) => String(error));
  story.note(`the master is ${typeof master === 'string' ? master : master?.name}`);
};

/** The master of those slots, once it is not the one that was. */
async function anotherMaster(
  cluster: RedisCluster,
  old: RedisServer,
  [slot = 0]: readonly number[],
): Promise<RedisServer> {
  for (;;) {
    const master = await cluster.masterOf(slot);
    if (master !== old) return master;
    await lasts(100);
  }
}

const clusterFailover: Fault = async ({ world, story }) => {
  const replica = await world.cluster?.anyReplica();
  if (replica === undefined) return;
  story.note(`FAULT ${replica.name} is to be a master`);
  story.losesData = true;
  await replica.command('CLUSTER', 'FAILOVER').catch(() => undefined);
};

/** The slots of the rooms go to whichever master, some of them slowly. */
const slotsMoved: Fault = async ({ world, story, random }) => {
  const { cluster } = world;
  if (cluster === undefined) return;
  for (const room of ROOMS) {
    const slot = await cluster.slotOf(`{${room}}`);
    const to = random.pick(await cluster.masters());
    if (to === (await cluster.masterOf(slot))) continue;
    story.note(`FAULT the slot of ${room} goes to ${to.name}`);
    // Another fault may have taken one of the two away.
    await move(cluster, slot, to, random).catch((error: unknown) =>
      story.note(`it did not: ${String(error)}`),
    );
  }
};

async function move(cluster: RedisCluster, slot: number, to: RedisServer, random: Random): Promise<void> {
  const from = await cluster.beginMove(slot, to);
  await cluster.moveKeys(slot, from, to, 1).catch(() => 0);
  await lasts(random.int(0, 1_000));
  // What was begun is brought to an end, also where another fault cuts the operator's own connection.
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.endMove(slot, from, to);
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

/** Sends the master a command that breaks something at once. */
function commanded(...words: [string, ...string[]]): Fault {
  return async ({ world, story }) => {
    const redis = await world.master();
    if (redis.state !== 'running') return;
    story.note(`FAULT ${words.join(' ')} on ${redis.name}`);
    if (words[0] === 'FLUSHALL') story.losesData = true;
    await redis.command(...words);
  };
}

const proxySilent: Fault = async ({ world, story, random }) => {
  const pod = random.int(0, world.proxies.length - 1);
  const direction = random.pick(['to-server', 'to-client', undefined] as const);
  story.note(`FAULT silence between pod-${pod + 1} and its server, ${direction ?? 'both ways'}`);
  world.proxies[pod]?.silence(direction);
  await lasts(random.int(300, 6_000));
  world.proxies[pod]?.resume();
  story.note(`pod-${pod + 1} and its server hear each other again`);
};

const proxyBroken: Fault = ({ world, story, random }) => {
  const pod = random.int(0, world.proxies.length - 1);
  story.note(`FAULT the connections of pod-${pod + 1} break`);
  world.proxies[pod]?.breakAll();
  return Promise.resolve();
};

const ANYWHERE: readonly [string, Fault][] = [
  ['pod-killed', podKilled],
  ['pod-frozen', podFrozen],
];
const REDIS: readonly [string, Fault][] = [
  ['kill-pubsub', commanded('CLIENT', 'KILL', 'TYPE', 'pubsub')],
  ['kill-normal', commanded('CLIENT', 'KILL', 'TYPE', 'normal')],
  ['script-flush', commanded('SCRIPT', 'FLUSH')],
  ['flushall', commanded('FLUSHALL')],
];
const ALONE: readonly [string, Fault][] = [
  ['redis-frozen', redisFrozen],
  ['redis-emptied', redisEmptied],
  ['proxy-silent', proxySilent],
  ['proxy-silent-again', proxySilent],
  ['proxy-broken', proxyBroken],
];
const NATS: readonly [string, Fault][] = [
  ['nats-frozen', natsFrozen],
  ['nats-killed', natsKilled],
  ['proxy-silent', proxySilent],
  ['proxy-broken', proxyBroken],
];
const SENTINELS: readonly [string, Fault][] = [
  ['redis-frozen', redisFrozen],
  ['master-killed', masterKilled],
  ['failover', failover],
];

/**
 * A slot whose one server dies while it is on its way to the other stays half here and half there until an operator
 * mends it (`redis-cli --cluster fix`): that is not played.
 */
function oneByOne(faults: readonly [string, Fault][]): [string, Fault][] {
  let last = Promise.resolve();
  return faults.map(([name, fault]) => [
    name,
    (scene) => {
      last = last.then(() => fault(scene));
      return last;
    },
  ]);
}

const CLUSTER: readonly [string, Fault][] = [
  ['redis-frozen', redisFrozen],
  ['master-killed', masterKilled],
  ['failover', clusterFailover],
  ['slots-moved', slotsMoved],
  ['slots-moved-again', slotsMoved],
];

function redisFaultsOf(world: World): readonly [string, Fault][] {
  if (world.cluster !== undefined) return oneByOne(CLUSTER);
  return world.group === undefined ? ALONE : SENTINELS;
}

/** The kinds of faults of this run: not all of them, so that what one kind breaks is not hidden by another. */
export function faultsOf(world: World, random: Random): Fault[] {
  const all = [...ANYWHERE, ...(world.nats ? NATS : [...REDIS, ...redisFaultsOf(world)])];
  const only = SETTINGS.faults;
  const chosen = all.filter(([name]) => (only === undefined ? random.chance(0.5) : only.includes(name)));
  return chosen.map(([, fault]) => fault);
}
