import type { Clock } from '../../../core/ports/clock.ts';
import type { Concerns } from '../connection/placement.ts';

interface Comeback {
  readonly concerns: Concerns;
  /** By the clock that only goes forward. */
  readonly until: number;
}

/**
 * Servers that have come back lately, each for the length of a lease. Until that is over other pods may be about to write
 * what they could not write while the server was away, or what it has lost since: who leaves a room there as the last
 * that is known of may be present through another pod.
 */
export class Comebacks {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  #latest: readonly Comeback[] = [];

  constructor(clock: Clock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  add(concerns: Concerns): void {
    const now = this.#clock.elapsed();
    this.#latest = [
      ...this.#latest.filter(({ until }) => until > now),
      { concerns, until: now + this.#leaseMs },
    ];
  }

  /** For how many ms more others may be about to write what belongs to a key; 0: what is there is all. */
  waitFor(key: string): number {
    const now = this.#clock.elapsed();
    return this.#latest.reduce(
      (longest, { concerns, until }) => (until - now > longest && concerns(key) ? until - now : longest),
      0,
    );
  }
}
