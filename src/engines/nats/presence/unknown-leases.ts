import { ignored } from '../../shared/ignored.ts';
import type { LeaseName } from './union.ts';
import { nameOfLease } from './row.ts';
import type { NatsLeases } from '../connection/leases.ts';

/** Ends what stands under leases that nobody knows of: all pods were gone for longer than a lease is kept. */
export class UnknownLeases {
  readonly #leases: NatsLeases;
  readonly #end: (lease: LeaseName) => Promise<void>;
  /** Those of the last time: what has just come may be known a little later. */
  #suspects = new Set<string>();

  constructor(leases: NatsLeases, end: (lease: LeaseName) => Promise<void>) {
    this.#leases = leases;
    this.#end = end;
  }

  /** To be called every so often, with all names under which something stands. */
  reap(names: Iterable<LeaseName>): void {
    const before = this.#suspects;
    this.#suspects = new Set();
    if (!this.#leases.isCurrent) return;
    for (const lease of Array.from(names)) {
      const name = nameOfLease(lease);
      if (this.#leases.knows(name)) continue;
      // What cannot be written now is looked at again the next time.
      if (before.has(name)) this.#end(lease).catch(ignored);
      this.#suspects.add(name);
    }
  }
}
