import type { Member } from '../../../protocol/event.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';

/** The name of a pod's lease; after every absence a pod has a later generation. */
export interface LeaseName {
  readonly pod: string;
  readonly generation: number;
}

/** What a user, or each of many, is in a room through one pod, as that pod says. */
export interface PodRow {
  readonly member: Member;
  /** When the user last said something of itself, in milliseconds; 0: never. No two statements have the same. */
  readonly statedAt: number;
  /** How many connections; 0: the user is not there any more through this pod. */
  readonly connections: number;
  /** How many have returned since the pod's lease began, apart from those that took the place of one on the same pod. */
  readonly came: number;
  /** When those of them were lost that may return, the earliest first. */
  readonly lost: readonly number[];
}

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** Who is gone because a pod's lease is over; `by`: the lease of the pod that found out. */
export interface Left extends RoomChange {
  readonly by: string;
}

/** A user's connections that are lost on another pod, the earliest of them first. */
export interface Lost {
  readonly lease: LeaseName;
  /** The number of the row that says so. */
  readonly sequence: number;
  readonly row: PodRow;
}

/** Of one pod's row what is needed later. */
interface Part {
  readonly lease: LeaseName;
  readonly sequence: number;
  readonly connections: number;
  readonly came: number;
  readonly lost: readonly number[];
}

/** A user who is there. */
interface Present {
  member: Member;
  statedAt: number;
  /** One for each pod, few; none while that may be for want of a row that is still to come. */
  parts: readonly Part[];
}

/** Of whom the end of a lease left nothing. */
interface Leaving {
  readonly room: string;
  readonly userId: string;
  /** In seconds. */
  readonly at: number;
  readonly by: string;
}

const NONE: readonly number[] = [];

/**
 * Who is present where, put together from what each pod says of its own. Whoever has taken the same rows in the same
 * order knows the same and was told of the same changes; whoever has taken only the last row of each user and pod
 * knows who is there all the same.
 */
export class Union {
  readonly #rooms = new Map<string, Map<string, Present>>();
  /** Up to which generation the rows of a pod do not count, whenever they come. */
  readonly #ended: Map<string, number>;
  #leaving: Leaving[] = [];
  /** Names that are in use, each kept once. */
  readonly #leases = new Map<string, LeaseName>();

  /** `ended`: what is known of an earlier union, and is added to. */
  constructor(ended: Map<string, number> = new Map()) {
    this.#ended = ended;
  }

  /** `came`: how many connections of the user have returned to the pod that another may have lost. */
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
   * Nothing counts any more that the pod said under this name, or an earlier one; `at` in seconds. Whoever is nowhere
   * else stays until `takeLeft`. True: there are such.
   */
  endLease(name: LeaseName, at: number, by: string): boolean {
    if (this.isEnded(name)) return false;
    this.#ended.set(name.pod, name.generation);
    const before = this.#leaving.length;
    if (!Array.from(this.#leases.values()).some((lease) => this.isEnded(lease))) return false;
    for (const [room, users] of this.#rooms)
      // In an order that all agree on.
      for (const userId of this.#dropEnded(users).toSorted()) this.#leaving.push({ room, userId, at, by });
    for (const [key, lease] of this.#leases) if (this.isEnded(lease)) this.#leases.delete(key);
    return this.#leaving.length > before;
  }

  /**
   * Those who are gone because leases are over. To be asked once all has been taken that is kept: a pod writes its users
   * under its next name before it buries the one before, but what it has written once more since comes only then.
   */
  takeLeft(): Left[] {
    const bereft = this.#leaving;
    this.#leaving = [];
    const left: Left[] = [];
    for (const { room, userId, at, by } of bereft) {
      const users = this.#rooms.get(room);
      if (users?.get(userId)?.parts.length !== 0) continue;
      left.push({ room, change: this.#leave(room, users, userId, at), by });
    }
    return left;
  }

  isEnded({ pod, generation }: LeaseName): boolean {
    return generation <= (this.#ended.get(pod) ?? -1);
  }

  /** All names under which something was put that is not buried. */
  leases(): Iterable<LeaseName> {
    return this.#leases.values();
  }

  /** A user who is there, and when it last said something of itself. */
  find(room: string, userId: string): Readonly<Pick<Present, 'member' | 'statedAt'>> | undefined {
    return this.#rooms.get(room)?.get(userId);
  }

  /** Whether the user is there through another pod than this. */
  isElsewhere(room: string, userId: string, pod: string): boolean {
    const present = this.#rooms.get(room)?.get(userId);
    return present?.parts.some(({ lease }) => lease.pod !== pod) ?? false;
  }

  /** Whether the user would be gone without the row of this name. */
  isOnlyUnder(room: string, userId: string, name: LeaseName): boolean {
    const lease = this.#leases.get(keyOf(name));
    return (
      this.#rooms
        .get(room)
        ?.get(userId)
        ?.parts.every((part) => part.lease === lease) ?? false
    );
  }

  /** Where the user's connection is that was lost first. Of two names of a pod the later one: under it more is written. */
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

  /** Takes away what is buried by now; gives those of whom nothing is left. */
  #dropEnded(users: ReadonlyMap<string, Present>): string[] {
    const bereft: string[] = [];
    for (const [userId, present] of users) {
      if (!present.parts.some(({ lease }) => this.isEnded(lease))) continue;
      present.parts = present.parts.filter(({ lease }) => !this.isEnded(lease));
      if (present.parts.length === 0) bereft.push(userId);
    }
    return bereft;
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

/** Both say the same of the user; one is newer. */
function laterOf(one: Member, other: Member): Member {
  return one.updatedAt >= other.updatedAt ? one : { ...one, updatedAt: other.updatedAt };
}
