import type { Clock } from '../../src/client/platform.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  /** In how many milliseconds each timer is due, the next one first. */
  get due(): number[] {
    return Array.from(this.#timers, (timer) => timer.at - this.#now).sort((a, b) => a - b);
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** Time passes, but no timer is served: the machine sleeps. */
  sleeps(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass, and after each timer what it promised. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.callback();
      await settled();
    }
    this.#now = end;
    await settled();
  }
}

/** When every promise that can be kept now has been. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
