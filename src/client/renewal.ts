import { type Clock, LONGEST_TIMER_MS } from './platform.ts';

/** Time enough to fetch a token and for the clocks to differ a little. */
const AHEAD_MS = 30_000;
/** When no new token could be had. */
const AGAIN_MS = 5_000;
/** So that tokens which all seem to end soon are not asked for without a pause. */
const LEAST_MS = 1_000;

/**
 * Rings before a token ends. Not for one that is about to end already: by a clock that is wrong every token may be,
 * and it is the server that says when one has ended.
 */
export class Renewal {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: unknown;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** In place of what was planned before. */
  plan(expiresAt: number | undefined): void {
    this.stop();
    const ms = (expiresAt ?? 0) - this.#clock.now() - AHEAD_MS;
    if (ms <= 0) return;
    this.#after(Math.min(Math.max(ms, LEAST_MS), LONGEST_TIMER_MS), () =>
      ms > LONGEST_TIMER_MS ? this.plan(expiresAt) : this.#ring(),
    );
  }

  /** It rang in vain: rings again soon, until the token has ended. */
  again(expiresAt: number | undefined): void {
    this.stop();
    if (this.#clock.now() + AGAIN_MS < (expiresAt ?? 0)) this.#after(AGAIN_MS, this.#ring);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #after(ms: number, then: () => void): void {
    this.#timer = this.#clock.setTimeout(then, ms);
  }
}
