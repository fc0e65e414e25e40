import type { Clock } from '../../src/core/ports/clock.ts';

/** A clock that stands still until it is told to go on. */
export class TestClock implements Clock {
  #now: number;
  /** By how much it has been set back. */
  #setBack = 0;
  #tasks: { at: number; task: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now + this.#setBack;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Somebody sets it back, or with a negative number ahead; what is to run runs when it would have. */
  setBack(ms: number): void {
    this.#now -= ms;
    this.#setBack += ms;
    for (const task of this.#tasks) task.at -= ms;
  }

  /** Lets time pass in which nothing can run. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass and runs what falls due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = end;
  }
}
