const EPSILON = 1e-9;

/** A token bucket: `perSecond` units a second, and at most `burst` at once. It starts full. */
export class Bucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #level: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#level = burst;
    this.#at = now;
  }

  /** Takes one unit and returns 0, or returns the milliseconds until there is one. `now` in milliseconds. */
  take(now: number): number {
    const wait = this.wait(now);
    if (wait === 0) this.#level -= 1;
    return wait;
  }

  /** Like `take`, but takes nothing. */
  wait(now: number): number {
    // A clock that was set back must neither add units nor take some away.
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#burst, this.#level + (elapsed * this.#perSecond) / 1_000);
    this.#at = now;
    // Rounding errors must not cost a whole millisecond.
    if (this.#level < 1 - EPSILON) return Math.ceil(((1 - this.#level) * 1_000) / this.#perSecond - EPSILON);
    return 0;
  }
}
