import type { Occupant, PresenceChange, Statement } from '../../../core/ports/presence-store.ts';
import { ENTER, EXIT, LOSE, NOTE } from './scripts.ts';
import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { Backbone } from '../connection/backbone.ts';
import { ignored } from '../../shared/ignored.ts';
import type { Member } from '../../../protocol/event.ts';
import type { Moment } from './local-memberships.ts';
import { NotedRooms } from './noted-rooms.ts';
import { readRow } from '../../shared/presence-row.ts';
import type { Script } from '../connection/script.ts';

/** Rows read in one step, so that no step keeps Redis for long. */
const ROWS = 500;

/** The name of a change that nobody waits for. */
export const UNWATCHED = '-';
/** Of one that nobody is told of: it was so all the time. */
export const UNTOLD = '';

/** A connection that is present, or was lost and may return, and whether it says how it is. */
export interface Entry {
  readonly who: Occupant;
  readonly statement: Statement;
  /** At this moment, or when it did; undefined: it says nothing. */
  readonly said: 'now' | Moment | undefined;
  readonly lost: boolean;
  /** It takes the place of one of its user that was lost. */
  readonly returns: boolean;
}

export interface Entered {
  /** Undefined: no change. */
  readonly change: PresenceChange | undefined;
  /** When it said how it is, by the clock of Redis; undefined: it says nothing. */
  readonly stamp: number | undefined;
}

/**
 * What an exit found. Where no connection of the user is known: `bereft` if the user stands there all the same, else
 * `unknown`. `last`: the connection is the last one that is known, and was left where it is.
 */
export type Left = PresenceChange | 'orphaned' | 'unknown' | 'last' | undefined;

/** Presence as Redis holds it; each call is one script, which also announces what changes. Everything raises Unavailable. */
export class RedisRows {
  readonly #backbone: Backbone;
  readonly #ttlMs: number;
  readonly #noted: NotedRooms;

  constructor(backbone: Backbone, ttlMs: number) {
    this.#backbone = backbone;
    this.#ttlMs = ttlMs;
    this.#noted = new NotedRooms({
      note: (room, name) => this.note([room], name),
      forget: (room, name) => this.#forget(room, name),
    });
  }

  /**
   * Connections are present in one room. One answer for each. `former`: the pod's name under which they were written
   * before; unless the others have taken that one for dead, they were there all the time, and nobody is told that they came.
   */
  async enter(room: string, all: readonly Entry[], name: string, former?: string): Promise<Entered[]> {
    const { clock, keys, lease } = this.#backbone;
    const pod = lease.name;
    const pending = this.#noted.enter(room, pod);
    if (pending !== undefined) await pending;
    const args = all.flatMap(({ who, statement: { status = '', meta = '' }, said, ...entry }) => {
      const user = JSON.stringify(who.userId);
      const when = wordOf(said, clock.elapsed());
      return [who.connectionId, who.userId, user, when, status, meta, markOf(entry), name];
    });
    const typed: TypedKeys = [
      ...this.#of(room, pod),
      ...(former === undefined ? [] : [[keys.podReaped(room, former), 'string'] as const]),
    ];
    const reply = await this.#call(room, ENTER, typed, [pod, this.#ttlMs, keys.roomChannel(room), ...args]);
    const flat = lease.unlessLapsed(pod, reply) as unknown[];
    return all.map((_, at) => enteredIn(flat.slice(4 * at, 4 * at + 4)));
  }

  /** `isAll`: others are not about to write connections that are not known yet. */
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
    // The same keys as an entry has: while the slot is on its way one that found its own there would be done, and the
    // user's return by another connection refused.
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

  /** Nobody is left in the room through this pod. */
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

  /** Whoever cleans up after the pod looks into these rooms. */
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
    // A hash that is being rebuilt may give a row twice.
    const rows = new Map<string, Member>();
    let cursor = count === 0 ? undefined : '0';
    while (cursor !== undefined && rows.size < limit) {
      const from: string = cursor;
      const [next, found] = await shard.command((client) => client.hscan(key, from, 'COUNT', ROWS), [key]);
      for (let at = 1; at < found.length && rows.size < limit; at += 2) {
        const member = readRow(found[at] ?? '');
        if (member !== undefined) rows.set(member.userId, member);
      }
      cursor = next === '0' ? undefined : next;
    }
    // Somebody may have come or gone since they were counted.
    const isWhole = cursor === undefined && rows.size < limit;
    return { members: [...rows.values()], count: isWhole ? rows.size : Math.max(count, rows.size) };
  }

  /** Whoever entered before has been sent before what follows. */
  async #afterEntries(room: string): Promise<void> {
    await this.#noted.pending(room)?.catch(ignored);
  }

  #forget(room: string, pod: string): void {
    const { keys, shared } = this.#backbone;
    // Where it cannot be, whoever buries the pod finds nobody there.
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

/** As the script takes it. */
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
  return { change, stamp: stamp === '' ? undefined : Number(stamp) };
}

/** Undefined where nothing changed for others. */
export function changeOf(kind: string, count: number, row: string): PresenceChange | undefined {
  if (kind !== 'join' && kind !== 'update' && kind !== 'leave') return undefined;
  const member = readRow(row);
  return member === undefined ? undefined : { kind, member, count };
}
