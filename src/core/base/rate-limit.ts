const EPSILON = 1e-9;

/** A token bucket: so many units a second, and at most `burst` at once. It starts full. */
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

  /** Takes one unit; else says in how many milliseconds there will be one. `now` in milliseconds. */
  take(now: number): number {
    const wait = this.wait(now);
    if (wait === 0) this.#level -= 1;
    return wait;
  }

  /** As `take`, but takes nothing. */
  wait(now: number): number {
    // A clock that is set back gives nothing and takes nothing.
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.#burst, this.#level + (elapsed * this.#perSecond) / 1_000);
    this.#at = now;
    // A billionth more or less is not worth a millisecond.
    if (this.#level < 1 - EPSILON) return Math.ceil(((1 - this.#level) * 1_000) / this.#perSecond - EPSILON);
    return 0;
  }
}
