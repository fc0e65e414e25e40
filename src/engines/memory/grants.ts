import type { Clock } from '../../core/ports/clock.ts';
import { GRANT_MS, type Grants } from '../../core/ports/grants.ts';

/** Beyond so many the oldest grant ends. */
const MOST = 100_000;

/** The grants of a single pod; they end with the process. */
export class MemoryGrants implements Grants {
  readonly #clock: Clock;
  /** Until when, by `Clock.elapsed`; the oldest grant comes first. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  give(userId: string, room: string): Promise<void> {
    const key = keyOf(userId, room);
    this.#until.delete(key);
    this.#until.set(key, this.#clock.elapsed() + GRANT_MS);
    this.#forgetOld();
    return Promise.resolve();
  }

  takeBack(userId: string, room: string): Promise<void> {
    this.#until.delete(keyOf(userId, room));
    return Promise.resolve();
  }

  leftMs(userId: string, room: string): Promise<number> {
    const until = this.#until.get(keyOf(userId, room)) ?? 0;
    return Promise.resolve(Math.max(0, until - this.#clock.elapsed()));
  }

  #forgetOld(): void {
    for (const [key, until] of this.#until) {
      if (until > this.#clock.elapsed() && this.#until.size <= MOST) return;
      this.#until.delete(key);
    }
  }
}

/** The name of a room contains no blank. */
function keyOf(userId: string, room: string): string {
  return `${room} ${userId}`;
}
