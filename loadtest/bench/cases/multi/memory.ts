import { setTimeout as sleep } from 'node:timers/promises';
import { info } from '../../multi/part.ts';
import { type Pods, startPods, times } from '../../multi/pods.ts';
import { type RedisServer, startRedis } from '../../../../test/support/stack/redis-server.ts';
import type { CaseResult } from '../../table.ts';

const ROOMS = 200;
const KEPT = 100;
const MEMBERS = 1000;
/** Buffers that are not needed any more are given back meanwhile. */
const SETTLE_MS = 3000;

/** In bytes. */
interface Memory {
  /** By `MEMORY USAGE` of the keys that are new. */
  readonly keys: number;
  /** By how much `used_memory` has grown, whatever for. */
  readonly used: number;
}

/** What Redis needs for rooms, messages and presence. */
export async function multiMemory(): Promise<CaseResult[]> {
  const redis = await startRedis();
  // One pod: the other would have nobody in rooms of one.
  const pods = await startPods({ envs: [redis.env] });
  const joined = await growth(redis, () => pods.connect({ connections: ROOMS, rooms: ROOMS }));
  const filled = await growth(redis, () => fill(pods));
  const history = await usage(redis, 'realtime:history:bench-0');
  const state = await usage(redis, 'realtime:state:bench-0');
  await pods.stop();
  await redis.command('FLUSHALL');
  const crowd = await startPods({ envs: times(2, redis.env) });
  const present = await growth(redis, () => crowd.connect({ connections: MEMBERS, rooms: 1 }));
  await crowd.stop();
  await redis.discard();
  const row = (label: string, { keys, used }: Memory, among: number): string[] => [
    label,
    (keys / among).toFixed(0),
    (used / among).toFixed(0),
  ];
  return [
    {
      name: 'multi-memory',
      title: `Memory of Redis, in bytes (MEMORY USAGE of the keys; growth of used_memory)`,
      header: ['', 'keys', 'used_memory'],
      rows: [
        row(`a room with one member and no message (of ${ROOMS})`, joined, ROOMS),
        row(`${KEPT} messages of 200 bytes in it`, filled, ROOMS),
        row('a kept message', filled, ROOMS * KEPT),
        row(`a present member (of ${MEMBERS} in a room)`, present, MEMBERS),
        ['the state of a room alone', String(state), '–'],
        [`the history of a room alone, ${KEPT} messages`, String(history), '–'],
      ],
      figures: { joined, filled, present, history, state },
    },
  ];
}

async function fill({ generator }: Pods): Promise<void> {
  const { messages } = await generator.run({ bursts: KEPT, perBurst: ROOMS, intervalMs: 100 });
  if (messages !== ROOMS * KEPT) throw new Error(`${messages} messages instead of ${ROOMS * KEPT}`);
}

async function growth(redis: RedisServer, act: () => Promise<unknown>): Promise<Memory> {
  await sleep(SETTLE_MS);
  const before = await memoryOf(redis);
  await act();
  await sleep(SETTLE_MS);
  const after = await memoryOf(redis);
  return { keys: after.keys - before.keys, used: after.used - before.used };
}

async function memoryOf(redis: RedisServer): Promise<Memory> {
  const used = await info(redis, 'memory', 'used_memory');
  const script = `
    local sum = 0
    for _, key in ipairs(redis.call('KEYS', '*')) do
      sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0)
    end
    return sum`;
  return { keys: Number(await redis.command('EVAL', script, '0')), used };
}

async function usage(redis: RedisServer, key: string): Promise<number> {
  return Number(await redis.command('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
}
