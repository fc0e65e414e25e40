import type { Clock } from '../../../core/ports/clock.ts';

/**
 * A server's time. Between two answers to TIME it advances with this pod's monotonic clock. Before the first answer it
 * is the pod's own time.
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
   * Takes an answer to TIME that has just arrived; `askedAt` is when it was asked for, by `Clock.elapsed`. The server
   * read its clock at some moment in between, so the known difference changes only as far as needed to fit: a slow
   * answer changes little, and a server whose clock was set is followed.
   */
  learn([seconds, microseconds]: readonly (string | number)[], askedAt: number): void {
    const told = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    const [least, most] = [told - this.#clock.elapsed(), told - askedAt];
    this.#ahead = Math.min(Math.max(this.#ahead, least), most);
  }
}
