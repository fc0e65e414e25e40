import type { Clock } from '../../../core/ports/clock.ts';
import type { IsAffected } from '../connection/placement.ts';

interface Recovery {
  readonly isAffected: IsAffected;
  /** By `Clock.elapsed`. */
  readonly until: number;
}

/**
 * Servers that have come back within the length of a lease. Until then other pods may still have to write members that
 * they could not write while the server was unavailable, or that it has lost: a user who leaves there through the last
 * known connection may still be present through another pod.
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

  /** For how many more ms other pods may have to write to a key; 0: its rows are complete. */
  waitFor(key: string): number {
    const now = this.#clock.elapsed();
    return this.#latest.reduce(
      (longest, { isAffected, until }) => (until - now > longest && isAffected(key) ? until - now : longest),
      0,
    );
  }
}
