import type { Clock } from '../../core/ports/clock.ts';

/** A publication that has not come back by then never will: the subscription is broken. */
const ECHO_MS = 1_000;

interface Expected<What> {
  heard: What | undefined;
  tell: ((what: What) => void) | undefined;
}

/**
 * Waits until a publication of this pod has come back by the pod's own subscription. So it takes effect here as on all
 * other pods, in the one order of the channel.
 */
export class Echoes<What> {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected<What>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call before publishing under the name; `forget` ends it. */
  expect(name: string): void {
    this.#expected.set(name, { heard: undefined, tell: undefined });
  }

  forget(name: string): void {
    this.#expected.delete(name);
  }

  /** Something came by the subscription; a name that is not expected is another pod's. */
  heard(name: string, what: What): void {
    const expected = this.#expected.get(name);
    if (expected === undefined) return;
    expected.heard = what;
    expected.tell?.(what);
  }

  soFar(name: string): What | undefined {
    return this.#expected.get(name)?.heard;
  }

  /** Resolves with what came back, or with undefined after a second. */
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
