import { CONTENDERS } from './contenders.ts';
import type { ContenderName } from './contenders.ts';
import { startGenerator } from './generator.ts';
import type { RunOptions, RunResult } from './load/commands.ts';
import { cpuMicros } from './proc.ts';
import { startServer } from './server.ts';

/** A contender that runs, with its clients connected. */
export interface Subject {
  readonly name: ContenderName;
  readonly pid: number;
  run(options: RunOptions): Promise<Reading>;
  stop(serverTimeoutMs?: number): Promise<void>;
}

export interface Reading extends RunResult {
  /** CPU time of the server process divided by the messages received, in microseconds. */
  readonly cpuPerDelivery: number;
}

/** Starts a contender's server and a generator of its own, and connects everybody. */
export async function openSubject(
  name: ContenderName,
  connections: number,
  extraFlags: readonly string[] = [],
): Promise<Subject> {
  const contender = CONTENDERS[name];
  const { dialect, path } = contender;
  const server = await startServer({ ...contender, nodeFlags: [...contender.nodeFlags, ...extraFlags] });
  const generator = startGenerator();
  await generator.connect({ ports: [server.port], dialect, path, connections, rooms: 1 });
  return {
    name,
    pid: server.pid,
    run: async (options) => {
      const before = cpuMicros(server.pid);
      const result = await generator.run(options);
      return { ...result, cpuPerDelivery: (cpuMicros(server.pid) - before) / result.deliveries };
    },
    stop: async (serverTimeoutMs) => {
      await generator.stop();
      await server.stop(serverTimeoutMs);
    },
  };
}
