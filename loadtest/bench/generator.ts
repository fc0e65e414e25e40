import { fileURLToPath } from 'node:url';
import type {
  Command,
  Commands,
  Connected,
  ConnectOptions,
  Kind,
  PairsOptions,
  Reply,
  Resumed,
  ResumeOptions,
  RunOptions,
  RunResult,
  Throughput,
  ThroughputOptions,
} from './load/commands.ts';
import { startLoadProcess } from './load-process.ts';

const MAIN = fileURLToPath(new URL('./load/main.ts', import.meta.url));
const CONNECT_TIMEOUT_MS = 90_000;
const RUN_TIMEOUT_MS = 60_000;

/** The load generator: a process of its own that holds the clients of one contender. */
export interface Generator {
  connect(options: ConnectOptions): Promise<Connected>;
  /** Publishes and counts; throws unless every connection received every message once and in order. */
  run(options: RunOptions): Promise<RunResult>;
  /** Clients come back and receive what was published since the crowd joined. */
  resume(options: ResumeOptions): Promise<Resumed>;
  pair(options: PairsOptions): Promise<void>;
  throughput(options: ThroughputOptions): Promise<Throughput>;
  stop(): Promise<void>;
}

export function startGenerator(): Generator {
  const load = startLoadProcess<Command>(MAIN);
  const ask = async <K extends Kind>(
    kind: K,
    options: Commands[K][0],
    timeoutMs: number,
  ): Promise<Commands[K][1]> => {
    const reply = (await load.ask({ kind, options }, timeoutMs)) as Reply<K>;
    return reply.result;
  };
  return {
    connect: (options) => ask('connect', options, CONNECT_TIMEOUT_MS),
    run: async (options) => {
      const duration = options.bursts * options.intervalMs + (options.graceMs ?? 0);
      return complete(await ask('run', options, duration + RUN_TIMEOUT_MS));
    },
    resume: (options) => ask('resume', options, CONNECT_TIMEOUT_MS),
    pair: async (options) => {
      await ask('pair', options, CONNECT_TIMEOUT_MS);
    },
    throughput: (options) =>
      ask('throughput', options, options.seconds * 1000 + options.leadMs + RUN_TIMEOUT_MS),
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
