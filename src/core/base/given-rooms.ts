import type { Clock } from '../ports/clock.ts';

/** The rooms that the server gave to the user of a connection, each for a time. */
export class GivenRooms {
  readonly #clock: Clock;
  /** Until when, by `Clock.elapsed`. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  give(room: string, ms: number): void {
    this.#until.set(room, this.#clock.elapsed() + ms);
  }

  takeBack(room: string): void {
    this.#until.delete(room);
  }

  has(room: string): boolean {
    const until = this.#until.get(room);
    if (until === undefined || until > this.#clock.elapsed()) return until !== undefined;
    this.#until.delete(room);
    return false;
  }
}
