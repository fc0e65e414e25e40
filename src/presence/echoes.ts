import type { Clock } from '../core/ports/clock.ts';

/** A change that has not come back by then never will: the subscription is broken. */
const ECHO_MS = 1_000;

/** Waits until what this pod announced has come back to it, so that it happens here as everywhere, and in one order. */
export class ChangeEchoes {
  readonly #clock: Clock;
  /** Changes under way; those that were heard already, and those that somebody waits for. */
  readonly #open = new Map<string, 'heard' | (() => void) | undefined>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A name for a change that is about to be made; `wait` or `forget` follows. */
  expect(pod: string): string {
    this.#count += 1;
    const change = `${pod}:${this.#count}`;
    this.#open.set(change, undefined);
    return change;
  }

  forget(change: string): void {
    this.#open.delete(change);
  }

  heard(change: string): void {
    const waiting = this.#open.get(change);
    if (typeof waiting === 'function') waiting();
    else if (this.#open.has(change)) this.#open.set(change, 'heard');
  }

  /** Resolves once it was heard, or will not be any more. */
  async wait(change: string): Promise<void> {
    if (this.#open.get(change) !== 'heard') {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(ECHO_MS, resolve);
        this.#open.set(change, () => {
          cancel();
          resolve();
        });
      });
    }
    this.#open.delete(change);
  }
}
