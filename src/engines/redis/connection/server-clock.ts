import type { Clock } from '../../../core/ports/clock.ts';

/**
 * The time of a server between the moments at which it told it: from there on it goes by the clock of this pod that
 * nobody can set. Before the server has told anything it is the pod's own time.
 */
export class ServerClock {
  readonly #clock: Clock;
  /** The server's time less `Clock.elapsed`, in milliseconds. */
  #ahead: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ahead = clock.now() - clock.elapsed();
  }

  /** Whole milliseconds since 1970. */
  now(): number {
    return Math.floor(this.#clock.elapsed() + this.#ahead);
  }

  /**
   * Takes an answer to TIME that has just come; `askedAt` is when it was asked for, by `Clock.elapsed`. The server gave
   * it at some moment in between. What was known before is changed only as far as that demands: an answer that was
   * long on its way says little, and a server whose clock was set is followed.
   */
  learn([seconds, microseconds]: readonly (string | number)[], askedAt: number): void {
    const told = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    const [least, most] = [told - this.#clock.elapsed(), told - askedAt];
    this.#ahead = Math.min(Math.max(this.#ahead, least), most);
  }
}
