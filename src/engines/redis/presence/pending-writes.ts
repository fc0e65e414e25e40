import { isWritten, type LocalMembership, type LocalMemberships } from './local-memberships.ts';
import type { Lease } from '../../shared/lease.ts';
import type { MembershipWriter } from './membership-writer.ts';
import type { Occupant } from '../../../core/ports/presence-store.ts';
import { forEachInBatches } from './batches.ts';

/** Exits that are retried; a user of any further one is shown until the lease under which it was written is reaped. */
const MOST_EXITS = 1_000;
/** Exits retried in parallel. */
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
 * Memberships that could not be written under the pod's present name, and exits that failed, because the server was
 * unavailable or the slot was moving. They are retried as soon as the room can be reached. Otherwise a grace period on
 * some pod, or the former lease, would end first, and a leave of a user who is present would be announced; and a user
 * who left would be shown until a lease ends.
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

  /** A connection has left, and that could not be written. */
  addExit(room: string, who: Occupant): void {
    if (this.#exits.size < MOST_EXITS) this.#exits.add({ room, who });
  }

  /** It is being written again, or its connection has left. */
  delete(membership: LocalMembership): void {
    this.#refused.delete(membership);
  }

  /** These rooms take writes again. Entries go before exits, so that no leave of a present user is announced. */
  async write(isAffected: (room: string) => boolean): Promise<void> {
    await this.#enter(isAffected);
    const { leave, memberships } = this.#options;
    // Exits that fail again wait for the next time. Also those written under a former name of the pod: nobody refreshes
    // a room without members, so that it may expire, with no leave announced, before that name is reaped.
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
      // Written meanwhile; or the pod has another name, under which all is written anyway.
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
