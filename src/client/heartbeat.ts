import type { Clock } from './platform.ts';

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

  constructor(clock: Clock, ping: () => void, dead: () => void) {
    this.#clock = clock;
    this.#ping = ping;
    this.#dead = dead;
  }

  /** Expects a frame within `ms`, and from then on one in every interval. */
  start(ms: number): void {
    this.stop();
    this.#heard = false;
    this.#timer = this.#clock.setTimeout(() => this.#tick(ms), ms);
  }

  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #tick(ms: number): void {
    if (!this.#heard) return this.#dead();
    this.start(ms);
    this.#ping();
  }
}
