import { isWritten, type LocalMembership, type LocalMemberships } from './local-memberships.ts';
import type { Lease } from '../../shared/lease.ts';
import type { MembershipWriter } from './membership-writer.ts';
import type { Occupant } from '../../../core/ports/presence-store.ts';
import { forEachInBatches } from './batches.ts';

/** So many exits are kept; whoever else left is shown until the lease under which it was written is buried. */
const MOST_EXITS = 1_000;
/** Of those at once. */
const AT_ONCE = 50;

interface Exit {
  readonly room: string;
  readonly who: Occupant;
}

export interface PendingWritesOptions {
  readonly memberships: LocalMemberships;
  readonly writer: MembershipWriter;
  readonly lease: Lease;
  /** Never raises. */
  readonly leave: (room: string, who: Occupant) => Promise<void>;
}

/**
 * Places that could not be written under the present name of the pod, or taken away, because the room was on its way from
 * one server of a Cluster to another, or its server was away. That is done as soon as it can be reached: else the grace of a connection that was lost
 * before ends first, on whichever pod, or the lease under which they were written before, and the user is said to have
 * left; and who left is shown until the end of a lease.
 */
export class PendingWrites {
  readonly #options: PendingWritesOptions;
  readonly #refused = new Set<LocalMembership>();
  readonly #exits = new Set<Exit>();

  constructor(options: PendingWritesOptions) {
    this.#options = options;
  }

  has(membership: LocalMembership): boolean {
    return this.#refused.has(membership);
  }

  add(membership: LocalMembership): void {
    this.#refused.add(membership);
  }

  /** A connection is gone, and that could not be written. */
  addExit(room: string, who: Occupant): void {
    if (this.#exits.size < MOST_EXITS) this.#exits.add({ room, who });
  }

  /** It is being written again, or its connection is gone. */
  delete(membership: LocalMembership): void {
    this.#refused.delete(membership);
  }

  /** Rooms can be written to again. Who has come is written first: then nobody leaves who is there. */
  async write(isAffected: (room: string) => boolean): Promise<void> {
    await this.#enter(isAffected);
    const { leave, memberships } = this.#options;
    // Those that are refused again meanwhile wait for the next time. Under whichever name of the pod they were written: a
    // room in which nobody is left is kept by nobody, and may be gone, in silence, before that name is buried.
    await forEachInBatches([...this.#exits], AT_ONCE, async (exit) => {
      const { room, who } = exit;
      const isOver = memberships.find(room, who) !== undefined;
      if (!isOver && !isAffected(room)) return;
      if (this.#exits.delete(exit) && !isOver) await leave(room, who);
    });
  }

  async #enter(isAffected: (room: string) => boolean): Promise<void> {
    const { lease, memberships, writer } = this.#options;
    for (const membership of this.#refused) {
      // What was written since is done; under another name all is written anyway.
      if (isWritten(membership, lease.name) || membership.writing?.name !== lease.name)
        this.#refused.delete(membership);
    }
    const some = [...this.#refused].filter(({ room }) => isAffected(room));
    if (some.length === 0) return;
    const isStill = (membership: LocalMembership): boolean =>
      this.#refused.has(membership) && memberships.holds(membership) && !membership.lost;
    await writer.write([...Map.groupBy(some, ({ room }) => room).values()], isStill);
  }
}
