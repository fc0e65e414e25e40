import type { Clock } from './platform.ts';

/** How long a line that is doubted may take to prove itself. */
const PROOF_MS = 5_000;
/** A timer that is so late was held up: the machine slept, or a browser put the tab aside. */
const LATE_MS = 2_000;

/**
 * Notices a line on which nothing arrives any more. A browser learns of a cable that was pulled only from TCP, after
 * many minutes, and does not show WebSocket pings to scripts; hence a ping of our own in every interval, and a line
 * on which nothing at all came in the interval after one is dead.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: unknown;
  #heard = false;
  #intervalMs = PROOF_MS;

  constructor(clock: Clock, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#dead = dead;
  }

  /** Expects a frame within `ms`, and from then on one in every interval. */
  start(ms: number): void {
    this.#intervalMs = ms;
    this.#expectWithin(ms);
  }

  /** There is reason to doubt the line: pings at once and expects an answer soon. */
  prove(): void {
    this.#expectWithin(Math.min(PROOF_MS, this.#intervalMs));
    this.#ping();
  }

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #expectWithin(ms: number): void {
    this.stop();
    this.#heard = false;
    const due = this.#clock.now() + ms;
    this.#timer = this.#clock.setTimeout(() => this.#tick(due), ms);
  }

  #tick(due: number): void {
    // What was heard before says nothing of now, and what arrived meanwhile was not read yet.
    if (this.#clock.now() - due > LATE_MS) return this.prove();
    if (!this.#heard) return this.#dead();
    this.#expectWithin(this.#intervalMs);
    this.#ping();
  }
}
