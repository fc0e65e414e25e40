import type { Occupancy, Occupant, PresenceChange } from '../core/ports/presence-store.ts';
import { type Script, scriptsBeside } from '../redis/script.ts';
import type { Backbone } from '../redis/backbone.ts';
import type { Member } from '../protocol/event.ts';
import { readRow } from './row.ts';

const script = scriptsBeside(import.meta.url);
const ENTER = script('enter');
const EXIT = script('exit');
const LOSE = script('lose');
const BURY = script('bury');
const TOUCH = script('touch');
export const PRESENCE_SCRIPTS: readonly Script[] = [ENTER, EXIT, LOSE, BURY, TOUCH];

/** Rows read, places cleared and rooms kept in one step, so that no step keeps Redis for long. */
const ROWS = 500;
const PLACES = 100;
const ROOMS = 200;

/** The name of a change that nobody waits for. */
export const UNWATCHED = '-';

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** Presence as Redis holds it; each call is one script, which also announces what changes. Everything raises Away. */
export class RedisRows {
  readonly #backbone: Backbone;
  readonly #ttlMs: number;

  constructor(backbone: Backbone, ttlMs: number) {
    this.#backbone = backbone;
    this.#ttlMs = ttlMs;
  }

  /** Connections are present in one room. `states`: each says so itself. One answer for each, undefined: no change. */
  async enter(
    room: string,
    all: readonly Occupancy[],
    states: boolean,
    name: string,
  ): Promise<(PresenceChange | undefined)[]> {
    const { keys, lease, link } = this.#backbone;
    const pod = lease.name;
    const args = all.flatMap(({ who, statement: { status = '', meta = '' } }) => {
      const user = JSON.stringify(who.userId);
      return [who.connectionId, who.userId, user, states ? '1' : '', status, meta, name];
    });
    const reply = await link.call(
      ENTER,
      [keys.presence(room), keys.tabs(room), keys.podPresence(pod), keys.pods],
      [pod, room, this.#seconds(), this.#ttlMs, keys.roomChannel(room), ...args],
    );
    return changesIn(lease.unlessLapsed(pod, reply) as unknown[]);
  }

  async exit(
    room: string,
    { connectionId, userId }: Occupant,
    name: string,
  ): Promise<PresenceChange | undefined> {
    const { keys, lease, link } = this.#backbone;
    const pod = lease.name;
    const user = JSON.stringify(userId);
    const reply = await link.call(
      EXIT,
      [keys.presence(room), keys.tabs(room), keys.podPresence(pod)],
      [pod, room, this.#seconds(), keys.roomChannel(room), connectionId, userId, user, name],
    );
    return changesIn(reply as unknown[])[0];
  }

  async lose(room: string, { connectionId, userId }: Occupant): Promise<void> {
    const { keys, link } = this.#backbone;
    await link.call(LOSE, [keys.tabs(room)], [connectionId, userId]);
  }

  async list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const { keys, link } = this.#backbone;
    const key = keys.presence(room);
    const count = await link.command((client) => client.hlen(key));
    // A hash that is being rebuilt may give a row twice.
    const rows = new Map<string, Member>();
    let cursor = count === 0 ? undefined : '0';
    while (cursor !== undefined && rows.size < limit) {
      const from: string = cursor;
      const [next, found] = await link.command((client) => client.hscan(key, from, 'COUNT', ROWS));
      for (let at = 1; at < found.length && rows.size < limit; at += 2) {
        const member = readRow(found[at] ?? '');
        if (member !== undefined) rows.set(member.userId, member);
      }
      cursor = next === '0' ? undefined : next;
    }
    return { members: [...rows.values()], count };
  }

  /** Takes some of what a dead pod had away; `done`: there was no more. */
  async bury(pod: string): Promise<{ left: RoomChange[]; done: boolean }> {
    const { keys, link } = this.#backbone;
    const args = [
      pod,
      PLACES,
      this.#seconds(),
      keys.presence(''),
      keys.tabs(''),
      keys.roomChannel(''),
      UNWATCHED,
    ];
    const [seen, ...flat] = (await link.call(BURY, [keys.podPresence(pod)], args)) as [number, ...unknown[]];
    const left: RoomChange[] = [];
    for (let at = 0; at < flat.length; at += 3) {
      const change = changeOf('leave', Number(flat[at + 1]), String(flat[at + 2]));
      if (change !== undefined) left.push({ room: String(flat[at]), change });
    }
    return { left, done: seen < PLACES };
  }

  /** Keeps the rooms for another while; gives those that are gone already. */
  async touch(rooms: readonly string[]): Promise<Set<string>> {
    const { keys, link } = this.#backbone;
    const gone = new Set<string>();
    for (let at = 0; at < rooms.length; at += ROOMS) {
      const part = rooms.slice(at, at + ROOMS);
      const names = part.flatMap((room) => [keys.presence(room), keys.tabs(room)]);
      const missing = (await link.call(TOUCH, names, [this.#ttlMs])) as number[];
      for (const index of missing) gone.add(part[index] ?? '');
    }
    return gone;
  }

  #seconds(): number {
    return Math.floor(this.#backbone.link.now() / 1_000);
  }
}

/** Replies of the scripts: kind, count and row for each. */
function changesIn(flat: readonly unknown[]): (PresenceChange | undefined)[] {
  const changes: (PresenceChange | undefined)[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    changes.push(changeOf(String(flat[at]), Number(flat[at + 1]), String(flat[at + 2])));
  }
  return changes;
}

/** Undefined where nothing changed for others. */
export function changeOf(kind: string, count: number, row: string): PresenceChange | undefined {
  if (kind !== 'join' && kind !== 'update' && kind !== 'leave') return undefined;
  const member = readRow(row);
  return member === undefined ? undefined : { kind, member, count };
}
