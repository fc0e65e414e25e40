import type { Part, PartState } from '../../loadtest/stack/part.ts';
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
  story.losesData ||= world.group !== undefined;
  redis.freeze();
  await lasts(3_000);
  if (stateOf(redis) === 'frozen') redis.thaw();
  story.note(`${redis.name} is thawed`);
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
  await old.kill();
  const master = await world.group?.masterOtherThan(old);
  story.note(`${master?.name} is the master; ${old.name} is started again`);
  await old.start();
};

const failover: Fault = async ({ world, story }) => {
  story.note('FAULT another master is asked for');
  story.losesData = true;
  const master = await world.group?.failover().catch((error: unknown) => String(error));
  story.note(`the master is ${typeof master === 'string' ? master : master?.name}`);
};

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
  story.note(`FAULT silence between pod-${pod + 1} and Redis, ${direction ?? 'both ways'}`);
  world.proxies[pod]?.silence(direction);
  await lasts(random.int(300, 6_000));
  world.proxies[pod]?.resume();
  story.note(`pod-${pod + 1} and Redis hear each other again`);
};

const proxyBroken: Fault = ({ world, story, random }) => {
  const pod = random.int(0, world.proxies.length - 1);
  story.note(`FAULT the connections of pod-${pod + 1} to Redis break`);
  world.proxies[pod]?.breakAll();
  return Promise.resolve();
};

const ANYWHERE: readonly [string, Fault][] = [
  ['pod-killed', podKilled],
  ['pod-frozen', podFrozen],
  ['redis-frozen', redisFrozen],
  ['kill-pubsub', commanded('CLIENT', 'KILL', 'TYPE', 'pubsub')],
  ['kill-normal', commanded('CLIENT', 'KILL', 'TYPE', 'normal')],
  ['script-flush', commanded('SCRIPT', 'FLUSH')],
  ['flushall', commanded('FLUSHALL')],
];
const ALONE: readonly [string, Fault][] = [
  ['redis-emptied', redisEmptied],
  ['proxy-silent', proxySilent],
  ['proxy-silent-again', proxySilent],
  ['proxy-broken', proxyBroken],
];
const SENTINELS: readonly [string, Fault][] = [
  ['master-killed', masterKilled],
  ['failover', failover],
];

/** The kinds of faults of this run: not all of them, so that what one kind breaks is not hidden by another. */
export function faultsOf(world: World, random: Random): Fault[] {
  const all = [...ANYWHERE, ...(world.group === undefined ? ALONE : SENTINELS)];
  const only = SETTINGS.faults;
  const chosen = all.filter(([name]) => (only === undefined ? random.chance(0.5) : only.includes(name)));
  return chosen.map(([, fault]) => fault);
}
