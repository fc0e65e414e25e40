import type { Clock } from '../core/ports/clock.ts';

/** Failures in a row after which nothing is asked for a while. */
const FAILURES = 5;
const PAUSE_MS = 2_000;

/**
 * Spares a backend that does not answer: after five failures in a row nothing is asked for two seconds, and then one
 * question at a time until one is answered.
 */
export class Breaker {
  readonly #clock: Pick<Clock, 'elapsed'>;
  #failures = 0;
  /** Until when nothing is asked, by `Clock.elapsed`. */
  #pausedUntil = 0;
  #isTrying = false;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  /** Whether a question may be asked now. If so, `answered`, `failed` or `gaveUp` must follow. */
  enter(): boolean {
    if (this.#failures < FAILURES) return true;
    if (this.#isTrying || this.#clock.elapsed() < this.#pausedUntil) return false;
    this.#isTrying = true;
    return true;
  }

  /** The backend answered, whatever it said. */
  answered(): void {
    this.#failures = 0;
    this.#isTrying = false;
  }

  /** No connection, no answer in time, or a gateway's answer in place of the backend's. */
  failed(): void {
    this.#failures += 1;
    this.#isTrying = false;
    if (this.#failures === FAILURES) this.#pausedUntil = this.#clock.elapsed() + PAUSE_MS;
  }

  /** The question never reached the backend. */
  gaveUp(): void {
    this.#isTrying = false;
  }
}
