import type { Clock } from '../core/ports/clock.ts';

interface Waiting {
  readonly begin: () => void;
  readonly isBackground: boolean;
}

/**
 * Bounds how many requests run at once. What nobody waits for (`isBackground`) may take only a part of the turns, so
 * that questions still find one.
 */
export class Turns {
  readonly #most: number;
  readonly #mostBackground: number;
  readonly #clock: Pick<Clock, 'after'>;
  /** In order. */
  readonly #waiting = new Set<Waiting>();
  #running = 0;
  #runningBackground = 0;

  constructor(most: number, clock: Pick<Clock, 'after'>) {
    this.#most = most;
    this.#mostBackground = Math.max(1, Math.floor(most / 4));
    this.#clock = clock;
  }

  /**
   * Resolves with a function that ends the turn, or after `ms` milliseconds without a turn with undefined. In the
   * background it waits for as long as it takes.
   */
  take(ms: number, isBackground = false): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      let cancel: () => void = () => undefined;
      const waiting: Waiting = {
        isBackground,
        begin: () => {
          cancel();
          resolve(this.#begin(isBackground));
        },
      };
      if (this.#isFree(isBackground)) {
        waiting.begin();
        return;
      }
      this.#waiting.add(waiting);
      if (isBackground) return;
      cancel = this.#clock.after(ms, () => {
        if (this.#waiting.delete(waiting)) resolve(undefined);
      });
    });
  }

  #isFree(isBackground: boolean): boolean {
    if (this.#running >= this.#most) return false;
    return !isBackground || this.#runningBackground < this.#mostBackground;
  }

  #begin(isBackground: boolean): () => void {
    this.#running += 1;
    if (isBackground) this.#runningBackground += 1;
    return () => {
      this.#running -= 1;
      if (isBackground) this.#runningBackground -= 1;
      this.#next();
    };
  }

  #next(): void {
    for (const waiting of this.#waiting) {
      if (!this.#isFree(waiting.isBackground)) continue;
      this.#waiting.delete(waiting);
      waiting.begin();
      return;
    }
  }
}
