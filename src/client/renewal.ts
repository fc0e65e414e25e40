import { type Clock, LONGEST_TIMER_MS } from './platform.ts';

/** How long before its expiry a token is renewed: enough to fetch a token although the clocks differ a little. */
const AHEAD_MS = 30_000;
/** The wait after a renewal that brought no new token. */
const RETRY_MS = 5_000;
/** The shortest wait, so that tokens which all seem about to expire are not requested without a pause. */
const LEAST_MS = 1_000;

/**
 * Calls `renew` 30 s before a token expires. It does not call it for a token with less time left: if this machine's
 * clock is wrong, that may be every token, and the server decides when a token has expired.
 */
export class Renewal {
  readonly #clock: Clock;
  readonly #renew: () => void;
  #timer: unknown;

  constructor(clock: Clock, renew: () => void) {
    this.#clock = clock;
    this.#renew = renew;
  }

  /** Plans the renewal of a token, in place of the one planned before. `expiresAt` is in milliseconds since 1970. */
  plan(expiresAt: number | undefined): void {
    this.stop();
    const ms = (expiresAt ?? 0) - this.#clock.now() - AHEAD_MS;
    if (ms <= 0) return;
    this.#after(Math.min(Math.max(ms, LEAST_MS), LONGEST_TIMER_MS), () =>
      ms > LONGEST_TIMER_MS ? this.plan(expiresAt) : this.#renew(),
    );
  }

  /** Tries again in 5 s, unless the token has expired by then. */
  retry(expiresAt: number | undefined): void {
    this.stop();
    if (this.#clock.now() + RETRY_MS < (expiresAt ?? 0)) this.#after(RETRY_MS, this.#renew);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #after(ms: number, then: () => void): void {
    this.#timer = this.#clock.setTimeout(then, ms);
  }
}
