import type { Clock } from '../../core/ports/clock.ts';

/** A publication that has not come back by then never will: the subscription is broken. */
const ECHO_MS = 1_000;

interface Expected<What> {
  heard: What | undefined;
  tell: ((what: What | undefined) => void) | undefined;
  /** When `tell` gets undefined, by `Clock.elapsed`. */
  deadline: number;
}

/**
 * Waits until a publication of this pod has come back by the pod's own subscription. So it takes effect here as on all
 * other pods, in the one order of the channel.
 */
export class Echoes<What> {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected<What>>();
  /** The names that are waited for. All wait equally long, so the first is due first. */
  readonly #waiting = new Map<string, Expected<What>>();
  /** One timer serves all names: it fires when the name that is first then is due. */
  #hasTimer = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call before publishing under the name; `forget` ends it. */
  expect(name: string): void {
    this.#expected.set(name, { heard: undefined, tell: undefined, deadline: 0 });
  }

  forget(name: string): void {
    this.#expected.delete(name);
  }

  /** Something came by the subscription; a name that is not expected is another pod's. */
  heard(name: string, what: What): void {
    const expected = this.#expected.get(name);
    if (expected === undefined) return;
    expected.heard = what;
    if (expected.tell === undefined) return;
    this.#waiting.delete(name);
    end(expected, what);
  }

  soFar(name: string): What | undefined {
    return this.#expected.get(name)?.heard;
  }

  /** Calls `tell` once: with what came back, perhaps at once, or with undefined after a second. */
  whenHeard(name: string, tell: (what: What | undefined) => void): void {
    const expected = this.#expected.get(name);
    if (expected === undefined || expected.heard !== undefined) {
      tell(expected?.heard);
      return;
    }
    expected.tell = tell;
    expected.deadline = this.#clock.elapsed() + ECHO_MS;
    this.#waiting.set(name, expected);
    if (!this.#hasTimer) this.#setTimer(ECHO_MS);
  }

  /** Resolves with what came back, or with undefined after a second. */
  wait(name: string): Promise<What | undefined> {
    return new Promise((resolve) => this.whenHeard(name, resolve));
  }

  #setTimer(ms: number): void {
    this.#hasTimer = true;
    this.#clock.after(ms, () => this.#endDue());
  }

  #endDue(): void {
    const now = this.#clock.elapsed();
    for (const [name, expected] of this.#waiting) {
      if (expected.deadline > now) {
        this.#setTimer(expected.deadline - now);
        return;
      }
      this.#waiting.delete(name);
      end(expected, undefined);
    }
    this.#hasTimer = false;
  }
}

function end<What>(expected: Expected<What>, what: What | undefined): void {
  const { tell } = expected;
  expected.tell = undefined;
  tell?.(what);
}
