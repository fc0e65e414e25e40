import type { Member } from '../../../protocol/event.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';

/** The name of a pod's lease. After every outage a pod takes a later generation. */
export interface LeaseName {
  readonly pod: string;
  readonly generation: number;
}

/** One pod's row about a user in a room. */
export interface PodRow {
  readonly member: Member;
  /** When the user last stated status or meta, in milliseconds and unique; 0: never. */
  readonly statedAt: number;
  /** The user's connections on this pod; 0: the user left it. */
  readonly connections: number;
  /** How many connections returned since the lease began, and replaced none that was lost on the same pod. */
  readonly came: number;
  /** When connections that may return were lost, the earliest first. */
  readonly lost: readonly number[];
}

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** A leave because a pod's lease ended; `by`: the pod that wrote the tombstone. */
export interface Left extends RoomChange {
  readonly by: string;
}

/** A row with lost connections of a user. */
export interface Lost {
  readonly lease: LeaseName;
  /** The stream sequence of the row. */
  readonly sequence: number;
  readonly row: PodRow;
}

/** What is needed later of one pod's row. */
interface Part {
  readonly lease: LeaseName;
  readonly sequence: number;
  readonly connections: number;
  readonly came: number;
  readonly lost: readonly number[];
}

/** A user who is present. */
interface Present {
  member: Member;
  statedAt: number;
  /** One for each lease. Empty while `takeLeft` has not decided: a row under another lease may still come. */
  parts: readonly Part[];
}

/** A user whose last part ended with a lease. */
interface Leaving {
  readonly room: string;
  readonly userId: string;
  /** In seconds. */
  readonly at: number;
  readonly by: string;
}

const NONE: readonly number[] = [];

/**
 * Who is present in which room, combined from the rows of all pods. Pods that take the same rows in the same order have
 * the same union and see the same changes. A pod that takes only the last row of each user and lease has the same
 * union.
 */
export class Union {
  readonly #rooms = new Map<string, Map<string, Present>>();
  /** By pod, the last generation whose rows do not count, even if they come later. */
  readonly #ended: Map<string, number>;
  #leaving: Leaving[] = [];
  /** Leases with rows, each object once, so that parts can be compared by identity. */
  readonly #leases = new Map<string, LeaseName>();

  /** `ended` is shared with an earlier union, and grows. */
  constructor(ended: Map<string, number> = new Map()) {
    this.#ended = ended;
  }

  /** `came`: how many of the user's connections returned with this row, and replace lost ones of any pod. */
  put(
    room: string,
    name: LeaseName,
    row: PodRow,
    sequence: number,
  ): { change?: PresenceChange; came: number } {
    if (this.isEnded(name)) return { came: 0 };
    if (row.connections === 0) return this.#remove(room, name, row.member);
    const lease = this.#leaseOf(name);
    const users = this.#rooms.get(room) ?? new Map<string, Present>();
    this.#rooms.set(room, users);
    const { userId } = row.member;
    const known = users.get(userId);
    const part = partOf(lease, row, sequence);
    if (known === undefined) {
      users.set(userId, { member: row.member, statedAt: row.statedAt, parts: [part] });
      return { change: { kind: 'join', member: row.member, count: users.size }, came: row.came };
    }
    const before = known.parts.find((other) => other.lease === lease);
    known.parts = before === undefined ? [...known.parts, part] : replaced(known.parts, before, part);
    const came = Math.max(0, row.came - (before?.came ?? 0));
    if (row.statedAt <= known.statedAt) {
      known.member = laterOf(known.member, row.member);
      return { came };
    }
    known.statedAt = row.statedAt;
    known.member = { ...row.member, userId: known.member.userId };
    return { change: { kind: 'update', member: known.member, count: users.size }, came };
  }

  /**
   * Rows under this lease and earlier ones of its pod no longer count. Users without any other row stay present until
   * `takeLeft`; true: there are some. `at` in seconds.
   */
  endLease(name: LeaseName, at: number, by: string): boolean {
    if (this.isEnded(name)) return false;
    this.#ended.set(name.pod, name.generation);
    const before = this.#leaving.length;
    if (!Array.from(this.#leases.values()).some((lease) => this.isEnded(lease))) return false;
    for (const [room, users] of this.#rooms)
      // Sorted, so that all pods announce leaves in the same order.
      for (const userId of this.#dropEnded(users).toSorted()) this.#leaving.push({ room, userId, at, by });
    for (const [key, lease] of this.#leases) if (this.isEnded(lease)) this.#leases.delete(key);
    return this.#leaving.length > before;
  }

  /**
   * The users who left because leases ended. Call it after all stored rows have been taken: a pod writes its rows under
   * its next lease before it ends the former one, but a row that was written again since is stored after the tombstone.
   */
  takeLeft(): Left[] {
    const leaving = this.#leaving;
    this.#leaving = [];
    const left: Left[] = [];
    for (const { room, userId, at, by } of leaving) {
      const users = this.#rooms.get(room);
      if (users?.get(userId)?.parts.length !== 0) continue;
      left.push({ room, change: this.#leave(room, users, userId, at), by });
    }
    return left;
  }

  isEnded({ pod, generation }: LeaseName): boolean {
    return generation <= (this.#ended.get(pod) ?? -1);
  }

  /** All leases that have rows and have not ended. */
  leases(): Iterable<LeaseName> {
    return this.#leases.values();
  }

  find(room: string, userId: string): Readonly<Pick<Present, 'member' | 'statedAt'>> | undefined {
    return this.#rooms.get(room)?.get(userId);
  }

  /** Whether the user is present through a pod other than `pod`. */
  isElsewhere(room: string, userId: string, pod: string): boolean {
    const present = this.#rooms.get(room)?.get(userId);
    return present?.parts.some(({ lease }) => lease.pod !== pod) ?? false;
  }

  /** Whether the user is present only through the row under this lease. */
  isOnlyUnder(room: string, userId: string, name: LeaseName): boolean {
    const lease = this.#leases.get(keyOf(name));
    return (
      this.#rooms
        .get(room)
        ?.get(userId)
        ?.parts.every((part) => part.lease === lease) ?? false
    );
  }

  /** The row with the connection that was lost first. Of two leases of a pod the later one, which is still written. */
  earliestLost(room: string, userId: string): Lost | undefined {
    const present = this.#rooms.get(room)?.get(userId);
    if (present === undefined) return undefined;
    let first: Part | undefined;
    for (const part of present.parts) {
      const at = part.lost[0];
      if (at !== undefined && at <= (first?.lost[0] ?? Infinity)) first = part;
    }
    if (first === undefined) return undefined;
    const { lease, sequence, ...rest } = first;
    return { lease, sequence, row: { ...rest, member: present.member, statedAt: present.statedAt } };
  }

  count(room: string): number {
    return this.#rooms.get(room)?.size ?? 0;
  }

  list(room: string, limit: number): { members: Member[]; count: number } {
    const users = this.#rooms.get(room);
    const members: Member[] = [];
    for (const { member } of users?.values() ?? []) {
      if (members.length === limit) break;
      members.push(member);
    }
    return { members, count: users?.size ?? 0 };
  }

  /** Removes parts under ended leases. Returns the users who have no part left. */
  #dropEnded(users: ReadonlyMap<string, Present>): string[] {
    const left: string[] = [];
    for (const [userId, present] of users) {
      if (!present.parts.some(({ lease }) => this.isEnded(lease))) continue;
      present.parts = present.parts.filter(({ lease }) => !this.isEnded(lease));
      if (present.parts.length === 0) left.push(userId);
    }
    return left;
  }

  #remove(
    room: string,
    name: LeaseName,
    { userId, updatedAt }: Member,
  ): { change?: PresenceChange; came: number } {
    const users = this.#rooms.get(room);
    const present = users?.get(userId);
    if (users === undefined || present === undefined) return { came: 0 };
    const lease = this.#leases.get(keyOf(name));
    present.parts = present.parts.filter((part) => part.lease !== lease);
    if (present.parts.length > 0) return { came: 0 };
    return { change: this.#leave(room, users, userId, updatedAt), came: 0 };
  }

  #leave(room: string, users: Map<string, Present>, userId: string, at: number): PresenceChange {
    const member = users.get(userId)?.member;
    users.delete(userId);
    if (users.size === 0) this.#rooms.delete(room);
    const gone = { userId, status: 'online', meta: '{}', ...member, updatedAt: at } as const;
    return { kind: 'leave', member: gone, count: users.size };
  }

  #leaseOf(name: LeaseName): LeaseName {
    const key = keyOf(name);
    const known = this.#leases.get(key);
    if (known === undefined) this.#leases.set(key, name);
    return known ?? name;
  }
}

function keyOf({ pod, generation }: LeaseName): string {
  return `${pod}.${generation}`;
}

function partOf(lease: LeaseName, { connections, came, lost }: PodRow, sequence: number): Part {
  return { lease, sequence, connections, came, lost: lost.length === 0 ? NONE : lost };
}

function replaced(parts: readonly Part[], before: Part, after: Part): readonly Part[] {
  return parts.map((part) => (part === before ? after : part));
}

/** Both have the same status and meta; one is newer. */
function laterOf(one: Member, other: Member): Member {
  return one.updatedAt >= other.updatedAt ? one : { ...one, updatedAt: other.updatedAt };
}
