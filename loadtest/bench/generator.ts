import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { adopt, stop } from './children.ts';
import type { Command, ConnectOptions, Reply, RunOptions, RunResult } from './load/commands.ts';

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
  const child = adopt(fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  const ask = (command: Command, timeoutMs: number): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const timeout = setTimeout(
        () => reject(new Error(`generator: no answer to ${command.kind}`)),
        timeoutMs,
      );
      const onExit = (): void => reject(new Error('the generator exited'));
      child.once('exit', onExit);
      child.once('message', (reply) => {
        clearTimeout(timeout);
        child.off('exit', onExit);
        resolve(reply as Reply);
      });
      child.send(command);
    });
  return {
    connect: async (options) => {
      const reply = await ask({ kind: 'connect', options }, CONNECT_TIMEOUT_MS);
      if (reply.kind === 'failed') throw new Error(reply.error);
    },
    run: async (options) => {
      const duration = options.bursts * options.intervalMs + (options.graceMs ?? 0);
      const reply = await ask({ kind: 'run', options }, duration + RUN_TIMEOUT_MS);
      if (reply.kind !== 'ran') throw new Error(reply.kind === 'failed' ? reply.error : 'unexpected answer');
      return complete(reply.result);
    },
    stop: () => stop(child),
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
