import type { Clock } from './platform.ts';

/** A token and when it ends, so that the client can bring a new one before. */
export interface Token {
  readonly token: string;
  /** Milliseconds since 1970; without it the line breaks for a moment when the token ends. */
  readonly expiresAt?: number;
}

/** Time enough to fetch a token and for the clocks to differ a little. */
const AHEAD_MS = 30_000;
/** Timers that are longer than this fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

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
    this.#timer = this.#clock.setTimeout(
      () => (ms > LONGEST_TIMER_MS ? this.plan(expiresAt) : this.#ring()),
      Math.min(ms, LONGEST_TIMER_MS),
    );
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}
