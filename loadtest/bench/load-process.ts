import { fork } from 'node:child_process';
import { adopt, stop } from './children.ts';
import type { Failed } from './load/serve.ts';

/** A process of the load, which obeys one command after the other. */
export interface LoadProcess<Command> {
  /** Throws what it fails with, and where no answer comes in time. */
  ask(command: Command, timeoutMs: number): Promise<unknown>;
  stop(): Promise<void>;
}

/** Starts the main file of such a process. */
export function startLoadProcess<Command extends { readonly kind: string }>(
  main: string,
): LoadProcess<Command> {
  const child = adopt(fork(main, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  return {
    ask: (command, timeoutMs) =>
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
          if (isFailed(reply)) reject(new Error(reply.error));
          else resolve(reply);
        });
        child.send(command);
      }),
    stop: async () => {
      await stop(child);
    },
  };
}

function isFailed(reply: unknown): reply is Failed {
  return (reply as Failed).kind === 'failed';
}
