import type { App } from './running-app.ts';
import type { Log } from './core/ports/log.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long clients that are cut off have for the close frame to reach them. */
const LAST_WORDS_MS = 250;
/**
 * Lines of the log are written by then. One that is still on its way at the exit, to somebody who reads no more, would
 * keep the process alive for ever: sonic-boom's flushSync repeats what ended with EPIPE.
 */
const LAST_LINES_MS = 20;

export interface LifecycleOptions {
  readonly app: App;
  readonly log: Log;
  /** From the first request to end until the process is gone at the latest. */
  readonly timeoutMs: number;
  /** Runs last of all. */
  readonly last: () => Promise<void>;
  readonly exit: (code: number) => void;
}

/** How a pod ends, whoever wants it: drain, stop, exit. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #exitCode: number | undefined;
  #signalled = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /**
   * The first signal begins a drain, the second cuts it short. One that follows a drain begun otherwise is the first:
   * Kubernetes sends it after a preStop hook, which may have been what began it.
   */
  readonly signalled = (signal: string): void => {
    if (this.#signalled) void this.#cutShort(signal);
    else {
      this.end(signal);
      this.#options.log.info({}, 'another signal ends it at once');
    }
    this.#signalled = true;
  };

  /** Somebody wants this pod to end; wanted again it makes no difference. */
  readonly end = (reason: string): void => {
    if (this.#exitCode === undefined) this.#begin(reason, 0);
    else this.#options.log.info({ reason }, 'ending already');
  };

  /** Something was thrown that nobody caught. Clients are sent to pods that are well; the exit code tells of it. */
  readonly crashed = (error: unknown): void => {
    this.#options.log.error({ err: error }, 'a fault that nobody expected; this pod drains and ends');
    if (this.#exitCode === undefined) this.#begin('uncaughtException', 1);
    else this.#exitCode = 1;
  };

  #begin(reason: string, exitCode: number): void {
    const { app, log, timeoutMs, last } = this.#options;
    this.#exitCode = exitCode;
    log.info({ reason }, 'ending');
    // Not unref: what is left to do may have nothing but timers that do not keep the process alive.
    setTimeout(() => void this.#cutShort('SHUTDOWN_TIMEOUT_SECONDS'), timeoutMs - LAST_WORDS_MS);
    void this.#inOrder([() => app.drain(), () => app.stop(), last, () => sleep(LAST_LINES_MS)]);
  }

  async #inOrder(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
    for (const step of steps) {
      await step().catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'the end was not in order');
      });
    }
    this.#exit();
  }

  async #cutShort(reason: string): Promise<void> {
    this.#options.log.info({ reason }, 'ending at once');
    this.#options.app.cutOff();
    await sleep(LAST_WORDS_MS);
    this.#exit();
  }

  #exit(): void {
    this.#options.exit(this.#exitCode ?? 0);
  }
}
