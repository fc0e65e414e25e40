import type { Occupant, Statement } from '../../../core/ports/presence-store.ts';

/** By the clock of the pod that only goes forward, or, once it is written, in ms since 1970 by that of Redis. */
export type Moment = { readonly elapsed: number } | { readonly stamp: number };

/** A connection through which a user is present in a room, as this pod wants it to be known. */
export interface LocalMembership {
  readonly room: string;
  readonly who: Occupant;
  /** All that it has said of itself. */
  statement: Statement;
  /** When it said something last; undefined: it only came. */
  said: Moment | undefined;
  /** It was lost, and its user may return. */
  lost: boolean;
  /** It takes the place of one that was lost, once it is written. */
  returns: boolean;
  /** Who is writing it, or could not, and under which name of the pod; undefined: all is written. */
  writing: { readonly name: string } | undefined;
  /** The name of the pod under which it was written last. */
  written: string | undefined;
}

const NEW = {
  statement: {},
  said: undefined,
  lost: false,
  returns: false,
  writing: undefined,
  written: undefined,
};

/** Everybody present through this pod: what it writes anew where that is gone. */
export class LocalMemberships {
  readonly #rooms = new Map<string, Map<string, LocalMembership>>();

  /** The place of a connection that is there; a new one says nothing yet. */
  put(room: string, who: Occupant, returns = false): LocalMembership {
    const memberships = this.#rooms.get(room) ?? new Map<string, LocalMembership>();
    this.#rooms.set(room, memberships);
    const known = memberships.get(who.connectionId);
    const membership = known ?? { room, who, ...NEW, returns };
    memberships.set(who.connectionId, membership);
    membership.lost = false;
    return membership;
  }

  find(room: string, { connectionId }: Occupant): LocalMembership | undefined {
    return this.#rooms.get(room)?.get(connectionId);
  }

  /** The connection is gone; gives the place that it had. */
  take(room: string, { connectionId }: Occupant): LocalMembership | undefined {
    const memberships = this.#rooms.get(room);
    const membership = memberships?.get(connectionId);
    memberships?.delete(connectionId);
    if (memberships?.size === 0) this.#rooms.delete(room);
    return membership;
  }

  /** Whether anybody is in the room through this pod. */
  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  /** Whether the place is that of its connection still. */
  holds(membership: LocalMembership): boolean {
    return this.find(membership.room, membership.who) === membership;
  }

  rooms(): Iterable<string> {
    return this.#rooms.keys();
  }

  in(room: string): Iterable<LocalMembership> {
    return this.#rooms.get(room)?.values() ?? [];
  }
}

/** All of the place has been written under that name of the pod, and what it last said got that stamp, if it said something. */
export function noteWritten(membership: LocalMembership, name: string, stamp: number | undefined): void {
  membership.writing = undefined;
  membership.written = name;
  // Written anew it must not take another's.
  membership.returns = false;
  if (stamp !== undefined) membership.said = { stamp };
}

/** Whether all of the place was written under that name of the pod. */
export function isWritten({ writing, written }: LocalMembership, name: string): boolean {
  return writing === undefined && written === name;
}
