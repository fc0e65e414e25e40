import type { App } from './app.ts';
import type { Log } from './core/ports/log.ts';

/** How long clients that are cut off have for the close frame to reach them. */
const LAST_WORDS_MS = 250;

export interface LifecycleOptions {
  readonly app: App;
  readonly log: Log;
  /** From the first request to end until the process is gone at the latest. */
  readonly timeoutMs: number;
  /** Runs last of all. */
  readonly last: () => Promise<void>;
  readonly exit: (code: number) => void;
}

/** How a pod ends, whoever wants it: drain, stop, exit. Asked again it ends at once. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  #exitCode: number | undefined;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  /** A signal, or an operator: the first begins a drain, the second cuts it short. */
  readonly end = (reason: string): void => {
    if (this.#exitCode === undefined) this.#begin(reason, 0);
    else void this.#cutShort(reason);
  };

  /** Something was thrown that nobody caught. Clients are sent to pods that are well; the exit code tells of it. */
  readonly crashed = (error: unknown): void => {
    this.#options.log.error({ err: error }, 'a fault that nobody expected; this pod drains and ends');
    if (this.#exitCode === undefined) this.#begin('uncaughtException', 1);
  };

  #begin(reason: string, exitCode: number): void {
    const { app, log, timeoutMs, last } = this.#options;
    this.#exitCode = exitCode;
    log.info({ reason }, 'ending; a second signal ends it at once');
    // Not unref: what is left to do may have nothing but timers that do not keep the process alive.
    setTimeout(() => void this.#cutShort('SHUTDOWN_TIMEOUT_SECONDS'), timeoutMs - LAST_WORDS_MS);
    app
      .drain()
      .then(() => app.stop())
      .then(last)
      .catch((error: unknown) => log.error({ err: error }, 'the end was not in order'))
      .finally(() => this.#exit());
  }

  async #cutShort(reason: string): Promise<void> {
    this.#options.log.info({ reason }, 'ending at once');
    this.#options.app.cutOff();
    await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
    this.#exit();
  }

  #exit(): void {
    this.#options.exit(this.#exitCode ?? 0);
  }
}
