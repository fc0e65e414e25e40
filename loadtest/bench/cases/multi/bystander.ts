import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../../arguments.ts';
import { type Pods, podAt, startPods, times } from '../../multi/pods.ts';
import { bytesRead, cpuMicros } from '../../proc.ts';
import { spread } from '../../rounds.ts';
import { type RedisServer, startRedis } from '../../../../test/support/stack/redis-server.ts';
import type { CaseResult } from '../../table.ts';
import { SPARSE, during } from '../fan-out.ts';

/** A lease is renewed every three seconds: a window has several of them. */
const WINDOWS = 3;
const BYSTANDER = 2;

interface Reading {
  /** In microseconds of CPU for each second that passed. */
  readonly cpu: number;
  /** In bytes for each second that passed, from whomever. */
  readonly received: number;
}

/** What a busy room costs a pod that has nobody in it. */
export async function multiBystander({ rounds, seconds }: Options): Promise<CaseResult[]> {
  const redis = await startRedis();
  const pods = await startPods({ envs: times(3, redis.env) });
  const { connections, rooms } = SPARSE;
  await pods.connect({ connections, rooms, pods: [0, 1] });
  const run = during(seconds * WINDOWS, SPARSE);
  await pods.generator.run(run);
  const [quiet, busy]: [Reading[], Reading[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    quiet.push(await read(pods, () => sleep(run.bursts * run.intervalMs)));
    busy.push(await read(pods, () => pods.generator.run(run)));
  }
  const listeners = await subscribers(redis);
  await pods.stop();
  await redis.discard();
  if (listeners !== 2)
    throw new Error(`${listeners} of 3 pods subscribe to the room, two have members in it`);
  const row = (label: string, readings: readonly Reading[]): string[] => [
    label,
    spread(
      readings.map(({ cpu }) => cpu),
      0,
    ),
    spread(
      readings.map(({ received }) => received),
      0,
    ),
  ];
  return [
    {
      name: 'multi-bystander',
      title: `A third pod, without members, beside a room of 1,000 with 20 messages/s (${listeners} pods subscribe to it)`,
      header: ['the room is', 'CPU µs per second', 'bytes received per second'],
      rows: [row('quiet', quiet), row('busy', busy)],
      figures: { quiet, busy },
    },
  ];
}

async function read(pods: Pods, during: () => Promise<unknown>): Promise<Reading> {
  const { pid } = podAt(pods, BYSTANDER);
  const [cpu, received, began] = [cpuMicros(pid), bytesRead(pid), performance.now()];
  await during();
  const passed = (performance.now() - began) / 1000;
  return { cpu: (cpuMicros(pid) - cpu) / passed, received: (bytesRead(pid) - received) / passed };
}

/** How many pods hear the one room there is. */
async function subscribers(redis: RedisServer): Promise<number> {
  const channels = (await redis.command('PUBSUB', 'CHANNELS', 'realtime:room:*')) as string[];
  const [, count] = (await redis.command('PUBSUB', 'NUMSUB', ...channels)) as [string, number];
  return count;
}
