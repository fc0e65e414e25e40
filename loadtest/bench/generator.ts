import { fileURLToPath } from 'node:url';
import type { Command, ConnectOptions, Reply, RunOptions, RunResult } from './load/commands.ts';
import { startLoadProcess } from './load-process.ts';

const MAIN = fileURLToPath(new URL('./load/main.ts', import.meta.url));
const CONNECT_TIMEOUT_MS = 90_000;
const RUN_TIMEOUT_MS = 60_000;

/** The load generator: a process of its own that holds the clients of one contender. */
export interface Generator {
  connect(options: ConnectOptions): Promise<void>;
  /** Publishes and counts; throws unless every connection received every message once and in order. */
  run(options: RunOptions): Promise<RunResult>;
  stop(): Promise<void>;
}

export function startGenerator(): Generator {
  const load = startLoadProcess<Command>(MAIN);
  return {
    connect: async (options) => {
      await load.ask({ kind: 'connect', options }, CONNECT_TIMEOUT_MS);
    },
    run: async (options) => {
      const duration = options.bursts * options.intervalMs + (options.graceMs ?? 0);
      const reply = (await load.ask({ kind: 'run', options }, duration + RUN_TIMEOUT_MS)) as Reply;
      if (reply.kind !== 'ran') throw new Error('unexpected answer');
      return complete(reply.result);
    },
    stop: () => load.stop(),
  };
}

function complete(result: RunResult): RunResult {
  const missing = result.expected - result.deliveries;
  if (missing === 0 && result.disordered === 0 && result.closed === 0) return result;
  throw new Error(
    `${missing} of ${result.expected} deliveries are missing, ${result.disordered} out of order, ` +
      `${result.closed} connections were closed`,
  );
}
