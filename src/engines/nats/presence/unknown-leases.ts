import { ignored } from '../../shared/ignored.ts';
import type { LeaseName } from './union.ts';
import { nameOfLease } from './row.ts';
import type { NatsLeases } from '../connection/leases.ts';

/** Reaps rows under leases that no longer exist: all pods were gone for longer than leases are stored. */
export class UnknownLeases {
  readonly #leases: NatsLeases;
  readonly #writeTombstone: (lease: LeaseName) => Promise<void>;
  /** Unknown leases of the last call. They are reaped if still unknown: a new lease may come later than its rows. */
  #suspects = new Set<string>();

  constructor(leases: NatsLeases, writeTombstone: (lease: LeaseName) => Promise<void>) {
    this.#leases = leases;
    this.#writeTombstone = writeTombstone;
  }

  /** Call it regularly, with all leases that have rows. */
  reap(names: Iterable<LeaseName>): void {
    const before = this.#suspects;
    this.#suspects = new Set();
    if (!this.#leases.isCurrent) return;
    for (const lease of Array.from(names)) {
      const name = nameOfLease(lease);
      if (this.#leases.knows(name)) continue;
      // A tombstone that cannot be written now is tried again at the next call.
      if (before.has(name)) this.#writeTombstone(lease).catch(ignored);
      this.#suspects.add(name);
    }
  }
}
