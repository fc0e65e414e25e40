import { Bucket } from '../core/base/rate-limit.ts';

/** The maximum number of callers with a bucket. */
const MOST = 10_000;

/** Limits the requests of each caller: `perSecond`, with a burst of twice as many. */
export class Throttle {
  readonly #perSecond: number;
  readonly #most: number;
  /** Least recently used first. A forgotten caller gets a full bucket, which matters only if thousands attack. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, most: number = MOST) {
    this.#perSecond = perSecond;
    this.#most = most;
  }

  /** Takes one request and returns 0, or returns the seconds to wait. `now` is in milliseconds. */
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
