import type { Clock } from '../../core/ports/clock.ts';

/** What has not come back by then never will: the subscription is broken. */
const ECHO_MS = 1_000;

interface Expected<What> {
  heard: What | undefined;
  tell: ((what: What) => void) | undefined;
}

/**
 * Waits until what this pod published has come back to it by its own subscription, so that it happens here as on all
 * other pods, in the one order of the channel.
 */
export class Echoes<What> {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected<What>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something of that name is about to be published; `forget` ends it. */
  expect(name: string): void {
    this.#expected.set(name, { heard: undefined, tell: undefined });
  }

  forget(name: string): void {
    this.#expected.delete(name);
  }

  /** It came back; what nobody expects is another pod's. */
  heard(name: string, what: What): void {
    const expected = this.#expected.get(name);
    if (expected === undefined) return;
    expected.heard = what;
    expected.tell?.(what);
  }

  /** What came back under the name so far. */
  soFar(name: string): What | undefined {
    return this.#expected.get(name)?.heard;
  }

  /** Resolves once it came back, or will not any more: undefined. */
  async wait(name: string): Promise<What | undefined> {
    const expected = this.#expected.get(name);
    if (expected === undefined || expected.heard !== undefined) return expected?.heard;
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ECHO_MS, () => resolve(undefined));
      expected.tell = (what) => {
        cancel();
        resolve(what);
      };
    });
  }
}
