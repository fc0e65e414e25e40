import { Bucket } from '../core/base/rate-limit.ts';

/** How many callers are remembered at once. */
const MOST = 10_000;

/** So many requests a second for each name, twice as many at once. */
export class Throttle {
  readonly #perSecond: number;
  readonly #most: number;
  /** Least recently seen first. Forgetting one gives it a full bucket, which only matters while thousands attack. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, most: number = MOST) {
    this.#perSecond = perSecond;
    this.#most = most;
  }

  /** Takes one request; else says in how many seconds to come again. `now` in milliseconds. */
  take(name: string, now: number): number {
    const bucket = this.#buckets.get(name) ?? new Bucket(this.#perSecond, this.#perSecond * 2, now);
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#most) this.#forgetOldest();
    return Math.ceil(bucket.take(now) / 1_000);
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
