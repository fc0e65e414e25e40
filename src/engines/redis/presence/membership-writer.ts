import { type Entry, type RedisRows, UNWATCHED } from './rows.ts';
import { isWritten, noteWritten, type LocalMembership } from './local-memberships.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import { chunksOf } from './batches.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';

/** Connections of a room per script, and rooms written in parallel. */
const CONNECTIONS = 100;
const ROOMS = 50;

export interface MembershipWriterOptions {
  readonly backbone: Backbone;
  readonly rows: RedisRows;
  readonly caused: (room: string, change: PresenceChange) => void;
  /** It could not be written: its server is unavailable. */
  readonly refused: (membership: LocalMembership) => void;
}

/** Writes memberships again that Redis has lost, or has under a former name of the pod. */
export class MembershipWriter {
  readonly #options: MembershipWriterOptions;

  constructor(options: MembershipWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes memberships, grouped by room. No join is announced for users who were there all the time. `isStill` is asked
   * right before each is written. A room whose server is unavailable does not keep the others from being written.
   */
  async write(
    rooms: readonly (readonly LocalMembership[])[],
    isStill: (membership: LocalMembership) => boolean,
  ): Promise<void> {
    const { failedWrites } = this.#options.backbone;
    for (const some of chunksOf(rooms, ROOMS)) {
      const written = await Promise.allSettled(
        some.map((memberships) => failedWrites.track(this.#writeRoom(memberships, isStill))),
      );
      const failed = written.find((one) => one.status === 'rejected' && !(one.reason instanceof Unavailable));
      if (failed?.status === 'rejected') throw failed.reason;
    }
  }

  async #writeRoom(
    memberships: readonly LocalMembership[],
    isStill: (membership: LocalMembership) => boolean,
  ): Promise<void> {
    try {
      for (const [former, some] of Map.groupBy(memberships, ({ written }) => written)) {
        for (const part of chunksOf(some, CONNECTIONS)) await this.#writePart(part.filter(isStill), former);
      }
    } catch (error) {
      if (error instanceof Unavailable) this.#refuse(memberships.filter(isStill));
      throw error;
    }
  }

  #refuse(memberships: readonly LocalMembership[]): void {
    const { backbone, refused } = this.#options;
    const { name } = backbone.lease;
    for (const membership of memberships) {
      if (isWritten(membership, name)) continue;
      membership.writing = { name };
      refused(membership);
    }
  }

  async #writePart(memberships: readonly LocalMembership[], former: string | undefined): Promise<void> {
    const { backbone, caused, rows } = this.#options;
    const [first] = memberships;
    if (first === undefined) return;
    const { name: pod } = backbone.lease;
    const writing = memberships.map((membership) => membership.writing);
    const entered = await rows.enter(first.room, memberships.map(entryOf), UNWATCHED, former);
    for (const [at, { change, stamp }] of entered.entries()) {
      if (change !== undefined) caused(first.room, change);
      const membership = memberships[at];
      // Unless a later call is writing it.
      if (membership !== undefined && membership.writing === writing[at]) noteWritten(membership, pod, stamp);
    }
  }
}

export function entryOf({ who, statement, said, lost, returns }: LocalMembership): Entry {
  return { who, statement, said, lost, returns };
}
