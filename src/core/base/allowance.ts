import { Bucket } from './rate-limit.ts';

const ABUSE_SECONDS = 10;

/** How many frames a connection may send, and for how long it has ignored that it may not. */
export class Allowance {
  readonly #bucket: Bucket;
  #refusedSecond = 0;
  #secondsInARow = 0;

  constructor(perSecond: number, now: number) {
    this.#bucket = new Bucket(perSecond, perSecond * 2, now);
  }

  /** Takes one frame; else says in how many milliseconds the next may come. `now` in milliseconds. */
  take(now: number): number {
    const wait = this.#bucket.take(now);
    if (wait > 0) this.#refused(Math.floor(now / 1_000));
    return wait;
  }

  /** A frame was refused in each of ten seconds in a row. */
  get abused(): boolean {
    return this.#secondsInARow >= ABUSE_SECONDS;
  }

  #refused(second: number): void {
    if (second === this.#refusedSecond) return;
    this.#secondsInARow = second === this.#refusedSecond + 1 ? this.#secondsInARow + 1 : 1;
    this.#refusedSecond = second;
  }
}
