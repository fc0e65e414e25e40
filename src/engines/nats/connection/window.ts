/** At most so many tasks at once; the others wait, in order. */
export class Window {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  /** Where in `waiting` the next one is. */
  #next = 0;
  #running = 0;

  constructor(size: number) {
    this.#size = size;
  }

  async run<R>(task: () => Promise<R>): Promise<R> {
    if (this.#running < this.#size) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#leave();
    }
  }

  /** Whoever waits longest gets the place. */
  #leave(): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#next += 1;
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    next();
  }
}
