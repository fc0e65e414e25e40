import type { Contender } from './contenders.ts';
import { ENGINES, type EngineName } from './engines.ts';
import type { RunOptions, RunResult } from './load/commands.ts';
import { pidOf } from './multi/part.ts';
import { startPods, times } from './multi/pods.ts';
import { cpuMicros } from './proc.ts';

/** A contender as it is run: on how many pods, and what is between them. */
export interface Arrangement {
  readonly contender: Contender;
  readonly pods: number;
  readonly engine: EngineName;
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
  /** Of all processes of the engine, divided by all messages received; 0 where there are none. */
  readonly engine: number;
}

/** One pod with nothing beside it. */
export function alone(contender: Contender): Arrangement {
  return { contender, pods: 1, engine: 'memory' };
}

/** Starts the servers and a generator of their own, and connects everybody. */
export async function openSubject(
  { contender, pods: count, engine: name }: Arrangement,
  crowd: Crowd,
  flags?: (index: number) => readonly string[],
): Promise<Subject> {
  const engine = await ENGINES[name]();
  const pods = await startPods({ contender, envs: times(count, engine.env), flags });
  await pods.connect(crowd);
  const pids = pods.all.map(({ pid }) => pid);
  return {
    run: async (options) => {
      const measured = [...pids, ...engine.parts.map(pidOf)];
      const before = measured.map(cpuMicros);
      const result = await pods.generator.run(options);
      const used = measured.map((pid, index) => cpuMicros(pid) - (before[index] ?? 0));
      return readingOf(result, used, count);
    },
    stop: async (serverTimeoutMs) => {
      await pods.stop(serverTimeoutMs);
      await engine.discard();
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
    engine: used.slice(pods).reduce((sum, micros) => sum + micros, 0) / deliveries,
  };
}
