/** Runs at most `size` tasks at once; the others wait, in order. */
export class Window {
  readonly #size: number;
  readonly #waiting: (() => void)[] = [];
  /** The index of the next one in `waiting`. Shifting the array would cost time for each waiting task. */
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
