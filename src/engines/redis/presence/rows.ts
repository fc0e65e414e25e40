import type { Occupant, PresenceChange, Statement } from '../../../core/ports/presence-store.ts';
import { ENTER, EXIT, LOSE, NOTE } from './scripts.ts';
import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { Backbone } from '../connection/backbone.ts';
import { ignored } from '../../shared/ignored.ts';
import type { Member } from '../../../protocol/event.ts';
import type { Moment } from './local-memberships.ts';
import { NotedRooms } from './noted-rooms.ts';
import { PresenceRows, readRow } from '../../shared/presence-row.ts';
import type { Script } from '../connection/script.ts';

/** Rows per command, so that no command blocks Redis for long. */
const ROWS = 500;

/** The name of a change whose echo no caller waits for. */
export const UNWATCHED = '-';
/** The name of a change that is not announced: nothing changed for other users. */
export const UNTOLD = '';

/** A connection that is present, or was lost and may return. */
export interface Entry {
  readonly who: Occupant;
  readonly statement: Statement;
  /** When it stated status or meta; undefined if it did not. */
  readonly said: 'now' | Moment | undefined;
  readonly lost: boolean;
  /** It replaces a lost connection of its user. */
  readonly returns: boolean;
  /** It may enter if its user is present, or fewer users than this are. Undefined: it may always enter. */
  readonly most?: number | undefined;
}

export interface Entered {
  /** Undefined if nothing changed. */
  readonly change: PresenceChange | undefined;
  /** When it stated status or meta, by the clock of Redis; undefined if it did not. */
  readonly stamp: number | undefined;
  /** There were too many users: it did not enter. */
  readonly isFull: boolean;
}

/**
 * What an exit found: the leave; nothing to announce (undefined); or, if no connection of the user is stored,
 * `orphaned` if the user still has a row, else `unknown`. `last`: it is the last known connection, and was not removed.
 */
export type Left = PresenceChange | 'orphaned' | 'unknown' | 'last' | undefined;

/** Presence as Redis stores it. Each change is one script, which also announces it. All methods raise Unavailable. */
export class RedisRows {
  readonly #backbone: Backbone;
  readonly #ttlMs: number;
  readonly #noted: NotedRooms;
  readonly #listed = new PresenceRows();

  constructor(backbone: Backbone, ttlMs: number) {
    this.#backbone = backbone;
    this.#ttlMs = ttlMs;
    this.#noted = new NotedRooms({
      note: (room, name) => this.note([room], name),
      forget: (room, name) => this.#forget(room, name),
    });
  }

  /**
   * Connections are present in one room; gives one answer for each. `former`: the pod's name under which they were
   * written before. Unless that name was reaped, they were there all the time, and no join is announced.
   */
  async enter(room: string, all: readonly Entry[], name: string, former?: string): Promise<Entered[]> {
    const { clock, keys, lease } = this.#backbone;
    const pod = lease.name;
    const pending = this.#noted.enter(room, pod);
    if (pending !== undefined) await pending;
    const args = all.flatMap(({ who, statement: { status = '', meta = '' }, said, most = '', ...entry }) => {
      const user = JSON.stringify(who.userId);
      const when = wordOf(said, clock.elapsed());
      return [who.connectionId, who.userId, user, when, status, meta, markOf(entry), name, most];
    });
    const typed: TypedKeys = [
      ...this.#of(room, pod),
      ...(former === undefined ? [] : [[keys.podReaped(room, former), 'string'] as const]),
    ];
    const reply = await this.#call(room, ENTER, typed, [pod, this.#ttlMs, keys.roomChannel(room), ...args]);
    const flat = lease.unlessLapsed(pod, reply) as unknown[];
    return all.map((_, at) => enteredIn(flat.slice(4 * at, 4 * at + 4)));
  }

  /** `isAll`: no other pod still has to write connections. */
  async exit(room: string, { connectionId, userId }: Occupant, name: string, isAll: boolean): Promise<Left> {
    await this.#afterEntries(room);
    const { keys, lease } = this.#backbone;
    const args = [
      keys.roomChannel(room),
      connectionId,
      userId,
      JSON.stringify(userId),
      name,
      isAll ? '' : '?',
    ];
    // The same keys as an entry: while the slot is moving an exit with fewer keys could succeed although the user's
    // entry through another connection is refused.
    const typed = this.#of(room, lease.name);
    const [kind, count, row] = (await this.#call(room, EXIT, typed, args)) as unknown[];
    if (kind === 'orphaned' || kind === 'unknown' || kind === 'last') return kind;
    return changeOf(String(kind), Number(count), String(row));
  }

  async lose(room: string, { connectionId, userId }: Occupant): Promise<void> {
    await this.#afterEntries(room);
    const { keys } = this.#backbone;
    await this.#call(room, LOSE, [[keys.tabs(room), 'hash']], [connectionId, userId]);
  }

  /** The last member of this pod has left the room. */
  left(room: string): void {
    this.#noted.left(room, this.#backbone.lease.name);
  }

  list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const { keys, log } = this.#backbone;
    const typed = [[keys.presence(room), 'hash']] as const;
    return withKeyTypes({ shard: this.#backbone.placement.shardOfRoom(room), log, typed }, () =>
      this.#list(room, limit),
    );
  }

  /** Notes that the pod has members in these rooms; a pod that reaps it looks there. */
  async note(rooms: readonly string[], pod: string): Promise<void> {
    const { keys, lease, shared, log } = this.#backbone;
    const own = keys.podPresenceRooms(pod);
    const reply = await withKeyTypes({ shard: shared, log, typed: [[own, 'set']] }, () =>
      shared.call(NOTE, [keys.pods, own], [pod, ...rooms]),
    );
    lease.unlessLapsed(pod, reply);
  }

  async #list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const shard = this.#backbone.placement.shardOfRoom(room);
    const key = this.#backbone.keys.presence(room);
    const count = await shard.command((client) => client.hlen(key), [key]);
    // HSCAN may give a row twice.
    const rows = new Map<string, Member>();
    let cursor = count === 0 ? undefined : '0';
    while (cursor !== undefined && rows.size < limit) {
      const from: string = cursor;
      const [next, found] = await shard.command((client) => client.hscan(key, from, 'COUNT', ROWS), [key]);
      for (let at = 1; at < found.length && rows.size < limit; at += 2) {
        const member = this.#listed.read(found[at] ?? '');
        if (member !== undefined) rows.set(member.userId, member);
      }
      cursor = next === '0' ? undefined : next;
    }
    // Members may have joined or left since they were counted.
    const isWhole = cursor === undefined && rows.size < limit;
    return { members: [...rows.values()], count: isWhole ? rows.size : Math.max(count, rows.size) };
  }

  /** Keeps the order: entries that wait for a note are sent before what follows. */
  async #afterEntries(room: string): Promise<void> {
    await this.#noted.pending(room)?.catch(ignored);
  }

  #forget(room: string, pod: string): void {
    const { keys, shared } = this.#backbone;
    // If it fails, the pod that reaps this one finds no members there.
    shared.command((client) => client.srem(keys.podPresenceRooms(pod), room)).catch(ignored);
  }

  #of(room: string, pod: string): TypedKeys {
    const { keys } = this.#backbone;
    return [
      [keys.presence(room), 'hash'],
      [keys.tabs(room), 'hash'],
      [keys.podReaped(room, pod), 'string'],
    ];
  }

  #call(
    room: string,
    script: Script,
    typed: TypedKeys,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const shard = this.#backbone.placement.shardOfRoom(room);
    const keys = typed.map(([key]) => key);
    return withKeyTypes({ shard, log: this.#backbone.log, typed }, () => shard.call(script, keys, args));
  }
}

/** As enter.lua takes it. */
function wordOf(said: Entry['said'], elapsed: number): string | number {
  if (said === undefined || said === 'now') return said ?? '';
  return 'stamp' in said ? `=${said.stamp}` : Math.max(0, Math.round(elapsed - said.elapsed));
}

function markOf({ lost, returns }: Pick<Entry, 'lost' | 'returns'>): string {
  if (lost) return '!';
  return returns ? '<' : '';
}

function enteredIn([kind, count, row, stamp]: readonly unknown[]): Entered {
  const change = changeOf(String(kind), Number(count), String(row));
  return { change, stamp: stamp === '' ? undefined : Number(stamp), isFull: kind === 'full' };
}

/** Undefined if nothing changed for other users. */
export function changeOf(kind: string, count: number, row: string): PresenceChange | undefined {
  if (kind !== 'join' && kind !== 'update' && kind !== 'leave') return undefined;
  const member = readRow(row);
  return member === undefined ? undefined : { kind, member, count };
}
