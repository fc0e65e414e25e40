import { Bucket } from './rate-limit.ts';

const ABUSE_SECONDS = 10;

/** How many frames a connection may send, and for how long its client has ignored the limit. */
export class Allowance {
  readonly #bucket: Bucket;
  #rejectedSecond = 0;
  #secondsInARow = 0;

  constructor(perSecond: number, now: number) {
    this.#bucket = new Bucket(perSecond, perSecond * 2, now);
  }

  /** Takes one frame and returns 0, or returns the milliseconds until the next is allowed. `now` in milliseconds. */
  take(now: number): number {
    const wait = this.#bucket.take(now);
    if (wait > 0) this.#rejected(Math.floor(now / 1_000));
    return wait;
  }

  /** Whether frames were rejected in each of ten seconds in a row. */
  get isAbused(): boolean {
    return this.#secondsInARow >= ABUSE_SECONDS;
  }

  #rejected(second: number): void {
    if (second === this.#rejectedSecond) return;
    this.#secondsInARow = second === this.#rejectedSecond + 1 ? this.#secondsInARow + 1 : 1;
    this.#rejectedSecond = second;
  }
}
