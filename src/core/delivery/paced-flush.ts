import type { Clock } from '../ports/clock.ts';

/** After a flush comes a pause that is this many times as long, within these limits. */
const PAUSE_FACTOR = 4;
const PAUSE_MS = { least: 10, most: 250 };

interface Flushable {
  flush(): void;
}

/**
 * Flushes outboxes that hold only presence events, all together, and at most a fifth of the time. When thousands of
 * clients join, each member gets many events in one write, instead of one write for each event.
 */
export class PacedFlush {
  readonly #clock: Clock;
  readonly #endOfTurn: () => void;
  readonly #attempt: (one: Flushable) => void;
  #outboxes = new Set<Flushable>();
  #isScheduled = false;
  /** When the next flush may be, by `Clock.elapsed`. */
  #notBefore = -Infinity;

  /** `endOfTurn` makes the turn call `flush` at its end. */
  constructor(clock: Clock, endOfTurn: () => void, attempt: (one: Flushable) => void) {
    this.#clock = clock;
    this.#endOfTurn = endOfTurn;
    this.#attempt = attempt;
  }

  /** The outbox is flushed at the end of this turn, or when the pause after the last flush is over. */
  add(outbox: Flushable): void {
    this.#outboxes.add(outbox);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const wait = this.#notBefore - this.#clock.elapsed();
    if (wait <= 0) this.#endOfTurn();
    else this.#clock.after(wait, this.flush);
  }

  readonly flush = (): void => {
    const began = this.#clock.elapsed();
    const outboxes = this.#outboxes;
    this.#outboxes = new Set();
    this.#isScheduled = false;
    for (const outbox of outboxes) this.#attempt(outbox);
    const ended = this.#clock.elapsed();
    const pause = Math.max((ended - began) * PAUSE_FACTOR, PAUSE_MS.least);
    this.#notBefore = ended + Math.min(pause, PAUSE_MS.most);
  };
}
