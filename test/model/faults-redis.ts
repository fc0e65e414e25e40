import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, type Named, startAgain, stateOf } from './fault.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { podsDrained } from './faults-pods.ts';
import { ROOMS } from './cast.ts';
import { setTimeout as lasts } from 'node:timers/promises';

const redisFrozen: Fault = async ({ world, story, random }) => {
  const redis = await world.master();
  if (redis.state !== 'running') return;
  // Long enough for Sentinels to choose another, or just not; and for answers to come when nobody waits for them any more.
  const mayFailOver = world.group !== undefined || world.cluster !== undefined;
  const mended = story.fault(`${redis.name} is frozen`, mayFailOver ? 'data' : 'pods');
  redis.freeze();
  await lasts(random.int(1_500, 4_000));
  if (stateOf(redis) === 'frozen') redis.thaw();
  mended(`${redis.name} is thawed`);
};

const dumpOf = (redis: RedisServer): string => join(redis.folder, 'dump.rdb');

const redisEmptied: Fault = async ({ world, story, random }) => {
  const [redis] = world.servers;
  if (redis?.state !== 'running') return;
  const mended = story.fault(`${redis.name} is killed`, 'data');
  await redis.kill();
  rmSync(dumpOf(redis), { force: true });
  await lasts(random.int(0, 3_000));
  await startAgain(redis);
  mended(`${redis.name} runs again, empty`);
};

/** A Redis that saves by snapshot: what came after the last one is gone. */
const redisGoesBack: Fault = async ({ world, story, random }) => {
  const [redis] = world.servers;
  if (redis?.state !== 'running') return;
  await redis.command('SAVE');
  story.note(`${redis.name} has saved a snapshot`);
  if (random.chance(0.5)) {
    const restarted = story.fault(`${redis.name} is stopped`, 'data');
    await redis.stop();
    await startAgain(redis);
    restarted(`${redis.name} runs again with the snapshot`);
  }
  await lasts(random.int(300, 3_000));
  if (stateOf(redis) !== 'running') return;
  const mended = story.fault(`${redis.name} is killed`, 'data');
  await redis.kill();
  await lasts(random.int(0, 3_000));
  await startAgain(redis);
  mended(`${redis.name} runs again with the old snapshot`);
};

/** Sends the master a command that breaks something at once. */
function commanded(effect: 'data' | 'pods' | 'nothing', ...words: [string, ...string[]]): Fault {
  return async ({ world, story }) => {
    const redis = await world.master();
    if (redis.state !== 'running') return;
    const mended = story.fault(`${words.join(' ')} on ${redis.name}`, effect);
    await redis.command(...words);
    mended('it is done');
  };
}

/** Rights that an operator takes from the pods' user by mistake, and gives back. */
const RIGHTS = [
  [['-xadd'], ['+xadd']],
  [
    ['-publish', '-spublish'],
    ['+publish', '+spublish'],
  ],
  [['resetchannels'], ['allchannels']],
] as const;

const rightLost: Fault = async ({ world, story, random }) => {
  const redis = await world.master();
  if (redis.state !== 'running') return;
  const [taken, given] = random.pick(RIGHTS);
  const mended = story.fault(`ACL SETUSER default ${taken.join(' ')} on ${redis.name}`, 'pods');
  await redis.command('ACL', 'SETUSER', 'default', ...taken);
  await lasts(random.int(500, 6_000));
  await redis.command('ACL', 'SETUSER', 'default', ...given);
  mended(`ACL SETUSER default ${given.join(' ')}`);
};

/** One key, or some, are deleted by hand or evicted. */
const keysDeleted: Fault = async ({ world, story, random }) => {
  const { keys } = world;
  if (keys === undefined) return;
  const room = random.pick(ROOMS);
  const [effect, names] = random.pick([
    ['nothing', [keys.presence(room)]],
    ['nothing', [keys.presence(room)]],
    ['nothing', [keys.tabs(room)]],
    ['nothing', [keys.presence(room), keys.tabs(room)]],
    ['keys', [keys.history(room)]],
    ['room', [keys.state(room)]],
    ['room', [keys.history(room), keys.state(room)]],
  ] as const);
  const redis = await world.masterOf(keys.state(room));
  if (redis.state !== 'running') return;
  const mended = story.fault(`DEL ${names.join(' ')} on ${redis.name}`, effect);
  await redis.command('DEL', ...names);
  mended('it is done');
};

/** A node is drained that has the master and two of three pods. */
export const nodeDrained =
  (failover: Fault): Fault =>
  async (scene) => {
    await Promise.all([failover(scene), podsDrained(scene)]);
  };

export const ANY_REDIS_FAULTS: readonly Named[] = [
  ['kill-pubsub', commanded('nothing', 'CLIENT', 'KILL', 'TYPE', 'pubsub')],
  ['kill-normal', commanded('nothing', 'CLIENT', 'KILL', 'TYPE', 'normal')],
  ['script-flush', commanded('nothing', 'SCRIPT', 'FLUSH')],
  ['flushall', commanded('data', 'FLUSHALL')],
  ['redis-frozen', redisFrozen],
  ['right-lost', rightLost],
  ['keys-deleted', keysDeleted],
];

export const ONE_REDIS_FAULTS: readonly Named[] = [
  ['redis-emptied', redisEmptied],
  ['redis-goes-back', redisGoesBack],
];
