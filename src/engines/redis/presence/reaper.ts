import { ORPHANS, REAP, TOMBSTONE, SURVEY } from './scripts.ts';
import { changeOf, UNWATCHED } from './rows.ts';
import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';
import type { Script } from '../connection/script.ts';

/** Users per script, so that no script blocks Redis for long. */
const USERS = 500;
/** Rooms reaped in parallel. */
const ROOMS = 50;
/**
 * How long a room remembers that a pod was reaped. Late commands of the pod have arrived by then. If a user comes back
 * within this time, whose leave was announced, the join is announced at once; later the room counts as repaired, and
 * its members get the list again.
 */
const REAPED_MS = 3_600_000;
/** How long the rooms of a dead pod are known: other pods may refresh them, and notice late that it is dead. */
const POD_MS = 86_400_000;

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** Finds and removes the members that dead pods have left in rooms. All methods raise Unavailable. */
export class PresenceReaper {
  readonly #backbone: Backbone;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
  }

  /** Removes a dead pod's members from all rooms that can be reached; raises Unavailable if some cannot. */
  async reap(pod: string, tell: (left: RoomChange) => void): Promise<void> {
    const { keys, shared, log } = this.#backbone;
    const rooms = keys.podPresenceRooms(pod);
    let failed: Error | undefined;
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const from: string = cursor;
      const [next, some] = await withKeyTypes({ shard: shared, log, typed: [[rooms, 'set']] }, () =>
        shared.command((client) => client.sscan(rooms, from, 'COUNT', ROOMS)),
      );
      const reaped = await Promise.allSettled(some.map((room) => this.#reapIn(room, pod, tell)));
      const done = some.filter((_, index) => reaped[index]?.status === 'fulfilled');
      if (done.length > 0) await shared.command((client) => client.srem(rooms, ...done));
      failed ??= reaped.find((one) => one.status === 'rejected')?.reason as Error | undefined;
      cursor = next === '0' ? undefined : next;
    }
    if (failed !== undefined) throw failed;
  }

  /** The pods through which users are present in a room. */
  async podsIn(room: string): Promise<Set<string>> {
    const pods = new Set<string>();
    await this.#scan(room, SURVEY, [[this.#backbone.keys.tabs(room), 'hash']], (pod) => pods.add(pod));
    return pods;
  }

  /** The users of a room's rows for whom no connection is stored. */
  async orphansIn(room: string): Promise<Set<string>> {
    const users = new Set<string>();
    const { keys } = this.#backbone;
    const typed = [
      [keys.presence(room), 'hash'],
      [keys.tabs(room), 'hash'],
    ] as const;
    await this.#scan(room, ORPHANS, typed, (user) => users.add(user));
    return users;
  }

  /** Has a pod with members in a room reaped, if it has neither a lease nor a tombstone (it was evicted or deleted). */
  async ensureTombstone(pod: string, room: string): Promise<void> {
    const { keys, leaseMs, shared } = this.#backbone;
    const names = [keys.pods, keys.tombstones, keys.podPresenceRooms(pod)];
    await shared.call(TOMBSTONE, names, [pod, room, leaseMs, POD_MS]);
  }

  async #reapIn(room: string, pod: string, tell: (left: RoomChange) => void): Promise<void> {
    const { keys } = this.#backbone;
    const typed = [
      [keys.presence(room), 'hash'],
      [keys.tabs(room), 'hash'],
      [keys.podReaped(room, pod), 'string'],
    ] as const;
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const args = [pod, cursor, USERS, keys.roomChannel(room), UNWATCHED, REAPED_MS];
      const [next, ...flat] = await this.#call(room, REAP, typed, args);
      for (let at = 0; at < flat.length; at += 2) {
        const change = changeOf('leave', Number(flat[at]), String(flat[at + 1]));
        if (change !== undefined) tell({ room, change });
      }
      cursor = next === '0' ? undefined : String(next);
    }
  }

  async #scan(room: string, script: Script, typed: TypedKeys, take: (found: string) => void): Promise<void> {
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const [next, ...found] = await this.#call(room, script, typed, [cursor, USERS]);
      for (const one of found) take(String(one));
      cursor = next === '0' ? undefined : String(next);
    }
  }

  async #call(
    room: string,
    script: Script,
    typed: TypedKeys,
    args: readonly (string | number)[],
  ): Promise<unknown[]> {
    const shard = this.#backbone.placement.shardOfRoom(room);
    const keys = typed.map(([key]) => key);
    const call = (): Promise<unknown> => shard.call(script, keys, args);
    return (await withKeyTypes({ shard, log: this.#backbone.log, typed }, call)) as unknown[];
  }
}
