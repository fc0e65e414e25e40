import type {
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../../core/ports/presence-store.ts';
import { bytesOf, type MemoryBudget } from '../shared/memory-budget.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Member } from '../../protocol/event.ts';

interface Row {
  member: Member;
  /** A user has few, so plain arrays do. */
  connections: readonly string[];
  /** The connections that were lost, the earliest first. They are in `connections` too. */
  lost: readonly string[];
  /** The bytes that the memory budget counts for this row. */
  bytes: number;
}

const EMPTY: Omit<Row, 'member'> = { connections: [], lost: [], bytes: 0 };

/** Memory of a row, of each connection in it, and of a room, besides names and meta. */
const ROW_BYTES = 240;
const CONNECTION_BYTES = 100;
const ROOM_BYTES = 240;

/** The presence of a single pod, in memory. Members are never evicted; other things are evicted in their place. */
export class MemoryPresence implements PresenceStore {
  readonly #clock: Clock;
  readonly #budget: MemoryBudget;
  readonly #rooms = new Map<string, Map<string, Row>>();
  #receiver: PresenceReceiver | undefined;

  constructor(clock: Clock, budget: MemoryBudget) {
    this.#clock = clock;
    this.#budget = budget;
  }

  start(receiver: PresenceReceiver): Promise<void> {
    this.#receiver = receiver;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  enter(room: string, who: Occupant, returns = false): Promise<PresenceChange | undefined> {
    const known = this.#rooms.get(room)?.has(who.userId) ?? false;
    const member = this.#put(room, who, {}, returns);
    return Promise.resolve(known ? undefined : this.#change('join', room, member));
  }

  async admit(room: string, who: Occupant, most: number, returns = false): Promise<boolean> {
    const rows = this.#rooms.get(room);
    if ((rows?.size ?? 0) >= most && rows?.has(who.userId) !== true) return false;
    await this.enter(room, who, returns);
    return true;
  }

  state(room: string, who: Occupant, statement: Statement, returns = false): Promise<PresenceChange> {
    const known = this.#rooms.get(room)?.has(who.userId) ?? false;
    const member = this.#put(room, who, statement, returns);
    return Promise.resolve(this.#change(known ? 'update' : 'join', room, member));
  }

  lose(room: string, { userId, connectionId }: Occupant): Promise<void> {
    const row = this.#rooms.get(room)?.get(userId);
    if (row?.connections.includes(connectionId)) row.lost = [...row.lost, connectionId];
    return Promise.resolve();
  }

  exit(room: string, { userId, connectionId }: Occupant): Promise<PresenceChange | undefined> {
    const rows = this.#rooms.get(room);
    const row = rows?.get(userId);
    if (rows === undefined || row === undefined) return Promise.resolve(undefined);
    row.connections = without(row.connections, connectionId);
    row.lost = without(row.lost, connectionId);
    if (row.connections.length > 0) {
      this.#countBytes(row);
      return Promise.resolve(undefined);
    }
    this.#budget.release(row.bytes);
    rows.delete(userId);
    if (rows.size === 0) this.#removeRoom(room);
    return Promise.resolve(this.#change('leave', room, { ...row.member, updatedAt: this.#seconds() }));
  }

  list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const rows = this.#rooms.get(room);
    const members: Member[] = [];
    for (const { member } of rows?.values() ?? []) {
      if (members.length === limit) break;
      members.push(member);
    }
    return Promise.resolve({ members, count: rows?.size ?? 0 });
  }

  #put(
    room: string,
    { userId, connectionId }: Occupant,
    { status, meta }: Statement,
    returns: boolean,
  ): Member {
    const rows = this.#rooms.get(room) ?? this.#newRoom(room);
    const row = rows.get(userId);
    const member: Member = {
      userId,
      status: status ?? row?.member.status ?? 'online',
      meta: meta ?? row?.member.meta ?? '{}',
      updatedAt: this.#seconds(),
    };
    const { connections, lost, bytes } = row ?? EMPTY;
    const next: Row = { member, connections, lost, bytes };
    if (!connections.includes(connectionId)) {
      // A user who returns has a new connection, which replaces the one that was lost first.
      const replaced = returns ? lost[0] : undefined;
      next.connections = without(connections, replaced).concat([connectionId]);
      next.lost = without(lost, replaced);
    }
    rows.set(userId, next);
    this.#countBytes(next);
    this.#budget.fit();
    return member;
  }

  #newRoom(room: string): Map<string, Row> {
    const rows = new Map<string, Row>();
    this.#rooms.set(room, rows);
    this.#budget.take(ROOM_BYTES + room.length);
    return rows;
  }

  #removeRoom(room: string): void {
    this.#rooms.delete(room);
    this.#budget.release(ROOM_BYTES + room.length);
  }

  #countBytes(row: Row): void {
    const { userId, meta } = row.member;
    const bytes = ROW_BYTES + bytesOf(userId) + bytesOf(meta) + CONNECTION_BYTES * row.connections.length;
    this.#budget.take(bytes - row.bytes);
    row.bytes = bytes;
  }

  #change(kind: PresenceChange['kind'], room: string, member: Member): PresenceChange {
    const change = { kind, member, count: this.#rooms.get(room)?.size ?? 0 };
    this.#receiver?.changed(room, change);
    return change;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

function without(ids: readonly string[], id: string | undefined): readonly string[] {
  return ids.filter((other) => other !== id);
}
