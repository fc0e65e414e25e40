import { Transform, type TransformCallback } from 'node:stream';

/** One way of a connection, on which each piece may take its time; they keep their order. */
export class Passage extends Transform {
  readonly #delayMs: () => number;
  readonly #hear: (chunk: Buffer) => void;
  /** When the last piece is through, by `performance.now()`. */
  #lastDue = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(delayMs: () => number, hear: (chunk: Buffer) => void) {
    super();
    this.#delayMs = delayMs;
    this.#hear = hear;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    this.#hear(chunk);
    this.#afterDelay(() => this.push(chunk));
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#afterDelay(() => done());
  }

  /** At once, where nothing is late. Two timers may end in any order, so each lets pass what is next. */
  #afterDelay(pass: () => void): void {
    const now = performance.now();
    this.#lastDue = Math.max(this.#lastDue, now + this.#delayMs());
    if (this.#lastDue <= now && this.#waiting.length === 0) {
      pass();
      return;
    }
    this.#waiting.push(pass);
    setTimeout(() => {
      const next = this.#waiting.shift();
      if (!this.destroyed) next?.();
    }, this.#lastDue - now);
  }
}
