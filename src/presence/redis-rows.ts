import type { Occupancy, Occupant, PresenceChange } from '../core/ports/presence-store.ts';
import { type Script, scriptsBeside } from '../redis/script.ts';
import type { Backbone } from '../redis/backbone.ts';
import { ignored } from '../pods/away.ts';
import type { Member } from '../protocol/event.ts';
import { NotedRooms } from './noted-rooms.ts';
import { readRow } from './row.ts';
import type { Way } from '../redis/way.ts';

const script = scriptsBeside(import.meta.url);
const ENTER = script('enter');
const EXIT = script('exit');
const LOSE = script('lose');
const BURY = script('bury');
const TOUCH = script('touch');
const NOTE = script('note');
export const PRESENCE_SCRIPTS: readonly Script[] = [NOTE, ENTER, EXIT, LOSE, BURY, TOUCH];

/** Rows read, places cleared and rooms kept in one step, so that no step keeps Redis for long. */
const ROWS = 500;
const PLACES = 100;
/** Rooms cleared of a dead pod at once. */
const BURIALS = 50;
const ROOMS = 200;
/** Such steps at once, where each is for another part of the keys. */
const PARTS = 50;
/**
 * Who was in a room through a pod is known for so much longer than presence lasts: others may keep the room, and find
 * out late that the pod is dead.
 */
const POD_MS = 86_400_000;
/** What a pod has sent by then has arrived. */
const BURIED_MS = 60_000;

/** The name of a change that nobody waits for. */
export const UNWATCHED = '-';

/** A connection that is present, and whether it says how it is. */
export interface Entry {
  readonly occupancy: Occupancy;
  /** At this moment, or when it did, by the clock that only goes forward; undefined: it says nothing. */
  readonly said: 'now' | number | undefined;
}

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** Presence as Redis holds it; each call is one script, which also announces what changes. Everything raises Away. */
export class RedisRows {
  readonly #backbone: Backbone;
  readonly #ttlMs: number;
  readonly #noted: NotedRooms;

  constructor(backbone: Backbone, ttlMs: number) {
    this.#backbone = backbone;
    this.#ttlMs = ttlMs;
    this.#noted = new NotedRooms({
      note: (room, name) => this.#note(room, name),
      forget: (room, name) => this.#forget(room, name),
    });
  }

  /** Connections are present in one room. One answer for each, undefined: no change. */
  async enter(room: string, all: readonly Entry[], name: string): Promise<(PresenceChange | undefined)[]> {
    const { clock, keys, lease } = this.#backbone;
    const pod = lease.name;
    const pending = this.#noted.enter(room, pod);
    if (pending !== undefined) await pending;
    const link = this.#backbone.linkTo(room);
    const args = all.flatMap(({ occupancy: { who, statement }, said = '' }) => {
      const { status = '', meta = '' } = statement;
      const user = JSON.stringify(who.userId);
      const at = typeof said === 'number' ? Math.round(link.now() - (clock.elapsed() - said)) : said;
      return [who.connectionId, who.userId, user, at, status, meta, name];
    });
    const reply = await link.call(
      ENTER,
      [...this.#of(room, pod), keys.podBuried(room, pod)],
      [pod, seconds(link), this.#ttlMs, this.#ttlMs + POD_MS, keys.roomChannel(room), ...args],
    );
    return changesIn(lease.unlessLapsed(pod, reply) as unknown[]);
  }

  async exit(
    room: string,
    { connectionId, userId }: Occupant,
    name: string,
  ): Promise<PresenceChange | undefined> {
    const { keys, lease } = this.#backbone;
    await this.#afterEntries(room);
    const link = this.#backbone.linkTo(room);
    const pod = lease.name;
    const entries = this.#noted.entries(room);
    const user = JSON.stringify(userId);
    const reply = (await link.call(EXIT, this.#of(room, pod), [
      pod,
      seconds(link),
      keys.roomChannel(room),
      connectionId,
      userId,
      user,
      name,
    ])) as unknown[];
    if (reply[3] === 0) this.#noted.left(room, entries, pod);
    return changesIn(reply.slice(0, 3))[0];
  }

  async lose(room: string, { connectionId, userId }: Occupant): Promise<void> {
    await this.#afterEntries(room);
    const tabs = this.#backbone.keys.tabs(room);
    await this.#backbone.linkTo(room).call(LOSE, [tabs], [connectionId, userId]);
  }

  async list(room: string, limit: number): Promise<{ members: Member[]; count: number }> {
    const link = this.#backbone.linkTo(room);
    const key = this.#backbone.keys.presence(room);
    const count = await link.command((client) => client.hlen(key), [key]);
    // A hash that is being rebuilt may give a row twice.
    const rows = new Map<string, Member>();
    let cursor = count === 0 ? undefined : '0';
    while (cursor !== undefined && rows.size < limit) {
      const from: string = cursor;
      const [next, found] = await link.command((client) => client.hscan(key, from, 'COUNT', ROWS), [key]);
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

  /** Takes what a dead pod had out of all rooms that can be reached. Raises Away where some cannot. */
  async bury(pod: string, tell: (left: RoomChange) => void): Promise<void> {
    const { keys, link } = this.#backbone;
    const rooms = keys.podPresenceRooms(pod);
    let away: Error | undefined;
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const from: string = cursor;
      const [next, some] = await link.command((client) => client.sscan(rooms, from, 'COUNT', BURIALS));
      const buried = await Promise.allSettled(some.map((room) => this.#buryIn(room, pod, tell)));
      const done = some.filter((_, index) => buried[index]?.status === 'fulfilled');
      if (done.length > 0) await link.command((client) => client.srem(rooms, ...done));
      away ??= failureOf(buried);
      cursor = next === '0' ? undefined : next;
    }
    if (away !== undefined) throw away;
  }

  /** Keeps the rooms for another while; gives those of which something is gone already. Raises Away as `bury` does. */
  async touch(rooms: readonly string[]): Promise<Set<string>> {
    const { keys, placement } = this.#backbone;
    const gone = new Set<string>();
    const parts = [...Map.groupBy(rooms, (room) => placement.partOf(keys.presence(room))).values()];
    const steps = parts.flatMap((part) => chunksOf(part, ROOMS));
    let away: Error | undefined;
    for (const some of chunksOf(steps, PARTS)) {
      const touched = await Promise.allSettled(some.map((step) => this.#touchSome(step, gone)));
      away ??= failureOf(touched);
    }
    if (away !== undefined) throw away;
    return gone;
  }

  async #touchSome(rooms: readonly string[], gone: Set<string>): Promise<void> {
    const { lease } = this.#backbone;
    const names = rooms.flatMap((room) => this.#of(room, lease.name));
    const link = this.#backbone.linkTo(rooms[0] ?? '');
    for (const index of (await link.call(TOUCH, names, [this.#ttlMs, this.#ttlMs + POD_MS])) as number[])
      gone.add(rooms[index] ?? '');
  }

  async #buryIn(room: string, pod: string, tell: (left: RoomChange) => void): Promise<void> {
    const { keys } = this.#backbone;
    for (;;) {
      const link = this.#backbone.linkTo(room);
      const names = [...this.#of(room, pod), keys.podBuried(room, pod)];
      const args = [pod, PLACES, seconds(link), keys.roomChannel(room), UNWATCHED, BURIED_MS];
      const [seen, ...flat] = (await link.call(BURY, names, args)) as [number, ...unknown[]];
      for (let at = 0; at < flat.length; at += 2) {
        const change = changeOf('leave', Number(flat[at]), String(flat[at + 1]));
        if (change !== undefined) tell({ room, change });
      }
      if (seen < PLACES) return;
    }
  }

  /** Whoever entered before has been sent before what follows. */
  async #afterEntries(room: string): Promise<void> {
    await this.#noted.pending(room)?.catch(ignored);
  }

  async #note(room: string, pod: string): Promise<void> {
    const { keys, lease, link } = this.#backbone;
    lease.unlessLapsed(pod, await link.call(NOTE, [keys.pods, keys.podPresenceRooms(pod)], [pod, room]));
  }

  #forget(room: string, pod: string): void {
    const { keys, link } = this.#backbone;
    // Where it cannot be, whoever buries the pod finds nobody there.
    link.command((client) => client.srem(keys.podPresenceRooms(pod), room)).catch(ignored);
  }

  #of(room: string, pod: string): string[] {
    const { keys } = this.#backbone;
    return [keys.presence(room), keys.tabs(room), keys.podPresence(room, pod)];
  }
}

/** What the first of those that failed raised. */
function failureOf(settled: readonly PromiseSettledResult<void>[]): Error | undefined {
  const failed = settled.find((one) => one.status === 'rejected');
  return failed?.reason as Error | undefined;
}

function chunksOf<One>(all: readonly One[], size: number): One[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

function seconds(link: Way): number {
  return Math.floor(link.now() / 1_000);
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
