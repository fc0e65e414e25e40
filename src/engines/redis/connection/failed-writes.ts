import { Unavailable } from '../../shared/unavailable.ts';
import type { Lease, Leaseholder } from '../../shared/lease.ts';
import type { Placement } from './placement.ts';

/**
 * Remembers whether a write under the lease has failed. After a server was unavailable the pod takes a new lease and
 * writes everything again. When slots of a Cluster only moved nothing else repeats the write, so that once they have
 * arrived this class lets the lease lapse if any write has failed.
 */
export class FailedWrites implements Leaseholder {
  #any = false;

  constructor(lease: Lease, placement: Placement) {
    lease.add(this);
    placement.whenSlotsMoved(() => {
      if (this.#any) lease.lapsed(lease.name);
    });
  }

  /** Remembers if `work` fails with Unavailable; raises what `work` does. */
  async track<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      this.#any ||= error instanceof Unavailable;
      throw error;
    }
  }

  /** All is written again from now on. */
  rewriteAll(): Promise<void> {
    this.#any = false;
    return Promise.resolve();
  }

  reap(): Promise<void> {
    return Promise.resolve();
  }
}
