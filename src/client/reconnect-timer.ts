import { backoffMs } from './backoff.ts';
import { type Clock, LONGEST_TIMER_MS } from './platform.ts';

interface PlannedAttempt {
  readonly timer: unknown;
  readonly at: number;
  /** The server asked the client not to come before. */
  readonly notBefore: number;
}

/** Decides when the next attempt to connect is made: after a backoff, and not before the time the server asked for. */
export class ReconnectTimer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #attempt: () => void;
  /** Attempts since the backoff was last reset. */
  #attempts = 0;
  #planned: PlannedAttempt | undefined;
  /** The wait that a `drain` frame asked for. */
  #drainMs: number | undefined;

  constructor(clock: Clock, random: () => number, attempt: () => void) {
    this.#clock = clock;
    this.#random = random;
    this.#attempt = attempt;
  }

  /** The server drains the connection; the next attempt shall come `ms` after the connection is lost. */
  drainedFor(ms: number): void {
    this.#drainMs = ms;
  }

  /** The next backoff is the shortest one again. */
  resetBackoff(): void {
    this.#attempts = 0;
  }

  /**
   * Plans the next attempt. The wait of a `drain` frame is exact, because the server spreads its clients itself; a
   * `Retry-After` is the same for all clients, so a random backoff is added to it.
   */
  plan(retryAfterMs = 0): void {
    const jitter = this.#drainMs === undefined ? backoffMs(this.#attempts, this.#random) : 0;
    const atLeast = this.#drainMs ?? retryAfterMs;
    this.#drainMs = undefined;
    this.#attempts += 1;
    this.#planIn(atLeast + jitter, this.#clock.now() + atLeast);
  }

  /** Brings a planned attempt forward: the shortest backoff will do, but what the server asked for still holds. */
  hurry(): void {
    if (this.#planned === undefined) return;
    const { at, notBefore } = this.#planned;
    this.#attempts = 0;
    const ms = Math.max(notBefore - this.#clock.now(), backoffMs(0, this.#random));
    if (this.#clock.now() + ms < at) this.#planIn(ms, notBefore);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#planned?.timer);
    this.#planned = undefined;
  }

  #planIn(ms: number, notBefore: number): void {
    this.#clock.clearTimeout(this.#planned?.timer);
    const timer = this.#clock.setTimeout(
      () => {
        this.#planned = undefined;
        this.#attempt();
      },
      Math.min(ms, LONGEST_TIMER_MS),
    );
    this.#planned = { timer, at: this.#clock.now() + ms, notBefore };
  }
}
