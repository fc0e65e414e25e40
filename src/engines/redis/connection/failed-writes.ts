import { Unavailable } from '../../shared/unavailable.ts';
import type { Lease, Leaseholder } from '../../shared/lease.ts';
import type { Placement } from './placement.ts';

/**
 * Whether something could not be kept, or taken back, under the lease. Where a server was away the lease is taken anew
 * when it is back; where parts of a Cluster only moved nothing else makes up for it: once they have arrived all is
 * written anew.
 */
export class FailedWrites implements Leaseholder {
  #any = false;

  constructor(lease: Lease, placement: Placement) {
    lease.add(this);
    placement.whenSlotsMoved(() => {
      if (this.#any) lease.lapsed(lease.name);
    });
  }

  /** Remembers what was not done for want of a server; raises what `work` does. */
  async track<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      this.#any ||= error instanceof Unavailable;
      throw error;
    }
  }

  /** What is written from now on makes up for all that was missed. */
  rewriteAll(): Promise<void> {
    this.#any = false;
    return Promise.resolve();
  }

  reap(): Promise<void> {
    return Promise.resolve();
  }
}
