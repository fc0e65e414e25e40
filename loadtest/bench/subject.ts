import { startRedis } from '../stack/redis-server.ts';
import type { ContenderName } from './contenders.ts';
import type { RunOptions, RunResult } from './load/commands.ts';
import { pidOf } from './multi/part.ts';
import { startPods, times } from './multi/pods.ts';
import { cpuMicros } from './proc.ts';

/** A contender as it is run: on how many pods, and whether they have a Redis. */
export interface Arrangement {
  readonly contender: ContenderName;
  readonly pods: number;
  readonly hasRedis: boolean;
}

export interface Crowd {
  /** A multiple of the rooms. */
  readonly connections: number;
  readonly rooms: number;
}

/** An arrangement that runs, with its clients connected. */
export interface Subject {
  run(options: RunOptions): Promise<Reading>;
  stop(serverTimeoutMs?: number): Promise<void>;
}

/** CPU time in microseconds. */
export interface Reading extends RunResult {
  /** Of all pods, divided by the messages received. */
  readonly cpuPerDelivery: number;
  /** Of each pod, divided by the messages its own members received. */
  readonly pods: readonly number[];
  /** Of Redis, divided by all messages received; 0 where there is none. */
  readonly redis: number;
}

/** One pod without Redis. */
export function alone(contender: ContenderName): Arrangement {
  return { contender, pods: 1, hasRedis: false };
}

/** Starts the servers and a generator of their own, and connects everybody. */
export async function openSubject(
  { contender, pods: count, hasRedis }: Arrangement,
  crowd: Crowd,
  flags?: (index: number) => readonly string[],
): Promise<Subject> {
  const redis = hasRedis ? await startRedis() : undefined;
  const pods = await startPods({ contender, envs: times(count, redis?.env ?? {}), flags });
  await pods.connect(crowd);
  const pids = pods.all.map(({ pid }) => pid);
  return {
    run: async (options) => {
      const measured = redis === undefined ? pids : [...pids, pidOf(redis)];
      const before = measured.map(cpuMicros);
      const result = await pods.generator.run(options);
      const used = measured.map((pid, index) => cpuMicros(pid) - (before[index] ?? 0));
      return readingOf(result, used, count);
    },
    stop: async (serverTimeoutMs) => {
      await pods.stop(serverTimeoutMs);
      await redis?.discard();
    },
  };
}

function readingOf(result: RunResult, used: readonly number[], pods: number): Reading {
  const { deliveries } = result;
  const ofPods = used.slice(0, pods);
  return {
    ...result,
    cpuPerDelivery: ofPods.reduce((sum, micros) => sum + micros, 0) / deliveries,
    pods: ofPods.map((micros) => (micros * pods) / deliveries),
    redis: (used[pods] ?? 0) / deliveries,
  };
}
