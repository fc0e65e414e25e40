import type { App } from './running-app.ts';
import type { Log } from './core/ports/log.ts';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long the process waits until close frames have been sent to clients that are cut off. */
const CLOSE_FRAMES_MS = 250;
/**
 * How long the process waits until the log is written. A line that is still pending at the exit, for a reader that is
 * gone, would keep the process alive forever: sonic-boom's flushSync retries after EPIPE.
 */
const LOG_FLUSH_MS = 20;

export interface LifecycleOptions {
  readonly app: App;
  readonly log: Log;
  /** The time limit from the beginning of the end to the exit. */
  readonly timeoutMs: number;
  /** Runs after the app has stopped. */
  readonly afterStop: () => Promise<void>;
  readonly exit: (code: number) => void;
}

/** Ends a pod: drain, stop, exit. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #exitCode: number | undefined;
  #signalled = false;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /**
   * The first signal begins a drain, the second ends the pod at once. If `POST /drain` began the drain, the next signal
   * still counts as the first: Kubernetes sends SIGTERM after a preStop hook, which may have sent that request.
   */
  readonly signalled = (signal: string): void => {
    if (this.#signalled) void this.#cutShort(signal);
    else {
      this.end(signal);
      this.#options.log.info({}, 'another signal ends the pod at once');
    }
    this.#signalled = true;
  };

  /** Drains and ends the pod. A second call changes nothing. */
  readonly end = (reason: string): void => {
    if (this.#exitCode === undefined) this.#begin(reason, 0);
    else this.#options.log.info({ reason }, 'the pod is already ending');
  };

  /** Handles an uncaught error: sends the clients to other pods, and ends with exit code 1. */
  readonly crashed = (error: unknown): void => {
    this.#options.log.error({ err: error }, 'uncaught error; the pod drains and ends');
    if (this.#exitCode === undefined) this.#begin('uncaughtException', 1);
    else this.#exitCode = 1;
  };

  #begin(reason: string, exitCode: number): void {
    const { app, log, timeoutMs, afterStop } = this.#options;
    this.#exitCode = exitCode;
    log.info({ reason }, 'ending');
    // Not unref: this timer keeps the process alive until everything has ended.
    setTimeout(() => void this.#cutShort('SHUTDOWN_TIMEOUT_SECONDS'), timeoutMs - CLOSE_FRAMES_MS);
    void this.#inOrder([() => app.drain(), () => app.stop(), afterStop, () => sleep(LOG_FLUSH_MS)]);
  }

  async #inOrder(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
    for (const step of steps) {
      await step().catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'a step of the shutdown failed');
      });
    }
    this.#exit();
  }

  async #cutShort(reason: string): Promise<void> {
    this.#options.log.info({ reason }, 'ending at once');
    this.#options.app.cutOff();
    await sleep(CLOSE_FRAMES_MS);
    this.#exit();
  }

  #exit(): void {
    this.#options.exit(this.#exitCode ?? 0);
  }
}
