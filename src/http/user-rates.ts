import { RoomRates } from '../core/base/room-rates.ts';

/** A forgotten user gets full rates again, which matters only if thousands publish at once. */
const MOST_USERS = 10_000;

/** What each user published over HTTP in rooms that have a limit of their own. */
export class UserRates {
  /** Least recently used first. */
  readonly #rates = new Map<string, RoomRates>();

  of(userId: string): RoomRates {
    const rates = this.#rates.get(userId) ?? new RoomRates();
    this.#rates.delete(userId);
    this.#rates.set(userId, rates);
    for (const oldest of this.#rates.keys()) {
      if (this.#rates.size <= MOST_USERS) break;
      this.#rates.delete(oldest);
    }
    return rates;
  }
}
