import type { Clock } from '../../../core/ports/clock.ts';
import type { IsAffected } from '../connection/placement.ts';

interface Recovery {
  readonly isAffected: IsAffected;
  /** By the clock that only goes forward. */
  readonly until: number;
}

/**
 * Servers that have come back lately, each for the length of a lease. Until that is over other pods may be about to write
 * what they could not write while the server was away, or what it has lost since: who leaves a room there as the last
 * that is known of may be present through another pod.
 */
export class RecentRecoveries {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  #latest: readonly Recovery[] = [];

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  add(isAffected: IsAffected): void {
    const now = this.#clock.elapsed();
    this.#latest = [
      ...this.#latest.filter(({ until }) => until > now),
      { isAffected, until: now + this.#leaseMs },
    ];
  }

  /** For how many ms more others may be about to write what belongs to a key; 0: what is there is all. */
  waitFor(key: string): number {
    const now = this.#clock.elapsed();
    return this.#latest.reduce(
      (longest, { isAffected, until }) => (until - now > longest && isAffected(key) ? until - now : longest),
      0,
    );
  }
}
