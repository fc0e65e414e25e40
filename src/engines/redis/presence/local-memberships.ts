import type { Occupant, Statement } from '../../../core/ports/presence-store.ts';

/** By `Clock.elapsed` of this pod; once it is written, in ms since 1970 by the clock of Redis. */
export type Moment = { readonly elapsed: number } | { readonly stamp: number };

/** A connection of this pod through which a user is present in a room, as Redis should store it. */
export interface LocalMembership {
  readonly room: string;
  readonly who: Occupant;
  /** The latest status and meta. */
  statement: Statement;
  /** When it last stated status or meta; undefined if it only joined. */
  said: Moment | undefined;
  /** The connection was lost, and its user may return within the grace period. */
  lost: boolean;
  /** Once written it replaces a lost connection of the same user. */
  returns: boolean;
  /** The latest write that has not succeeded yet, and the name of the pod for it; undefined: all is written. */
  writing: { readonly name: string } | undefined;
  /** The pod's name under which it was last written. */
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

/** All memberships through this pod, from which it repairs rows that Redis has lost. */
export class LocalMemberships {
  readonly #rooms = new Map<string, Map<string, LocalMembership>>();

  /** The connection is present. Gives its membership, which is a new one if it was not. */
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

  /** Removes the membership of a connection, and gives it. */
  take(room: string, { connectionId }: Occupant): LocalMembership | undefined {
    const memberships = this.#rooms.get(room);
    const membership = memberships?.get(connectionId);
    memberships?.delete(connectionId);
    if (memberships?.size === 0) this.#rooms.delete(room);
    return membership;
  }

  /** Whether the room has a member through this pod. */
  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  /** Whether it is still the membership of its connection. */
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

/** All of it was written under that name of the pod. `stamp`: when Redis dated its statement, if it made one. */
export function noteWritten(membership: LocalMembership, name: string, stamp: number | undefined): void {
  membership.writing = undefined;
  membership.written = name;
  // Written again it must not replace another connection.
  membership.returns = false;
  if (stamp !== undefined) membership.said = { stamp };
}

/** Whether all of it was written under that name of the pod. */
export function isWritten({ writing, written }: LocalMembership, name: string): boolean {
  return writing === undefined && written === name;
}
