import type {
  Occupant,
  PresenceChange,
  PresenceReceiver,
  PresenceStore,
  Statement,
} from '../../core/ports/presence-store.ts';
import { bytesOf, type Held } from '../shared/held.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Member } from '../../protocol/event.ts';

interface Row {
  member: Member;
  /** Few per user, so plain arrays. */
  connections: readonly string[];
  /** Those of them that were lost, the earliest first. */
  lost: readonly string[];
  /** What it takes, as far as it was counted. */
  bytes: number;
}

const EMPTY: Omit<Row, 'member'> = { connections: [], lost: [], bytes: 0 };

/** What a row, one of its connections and a room that has rows take, besides names and meta. */
const ROW_BYTES = 240;
const CONNECTION_BYTES = 100;
const ROOM_BYTES = 240;

/** The presence of a single pod, in its own memory. Nobody is forgotten who is there: what else is held gives way. */
export class MemoryPresence implements PresenceStore {
  readonly #clock: Clock;
  readonly #held: Held;
  readonly #rooms = new Map<string, Map<string, Row>>();
  #receiver: PresenceReceiver | undefined;

  constructor(clock: Clock, held: Held) {
    this.#clock = clock;
    this.#held = held;
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
      this.#count(row);
      return Promise.resolve(undefined);
    }
    this.#held.release(row.bytes);
    rows.delete(userId);
    if (rows.size === 0) this.#empty(room);
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
    const rows = this.#rooms.get(room) ?? this.#begin(room);
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
      // Whoever was lost and is back comes by another connection, which takes the lost one's place.
      const replaced = returns ? lost[0] : undefined;
      next.connections = without(connections, replaced).concat([connectionId]);
      next.lost = without(lost, replaced);
    }
    rows.set(userId, next);
    this.#count(next);
    this.#held.fit();
    return member;
  }

  #begin(room: string): Map<string, Row> {
    const rows = new Map<string, Row>();
    this.#rooms.set(room, rows);
    this.#held.take(ROOM_BYTES + room.length);
    return rows;
  }

  #empty(room: string): void {
    this.#rooms.delete(room);
    this.#held.release(ROOM_BYTES + room.length);
  }

  /** Its bytes are what it takes now. */
  #count(row: Row): void {
    const { userId, meta } = row.member;
    const bytes = ROW_BYTES + bytesOf(userId) + bytesOf(meta) + CONNECTION_BYTES * row.connections.length;
    this.#held.take(bytes - row.bytes);
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
