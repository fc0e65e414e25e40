import { ORPHANS, REAP, TOMBSTONE, SURVEY } from './scripts.ts';
import { changeOf, UNWATCHED } from './rows.ts';
import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';
import type { Script } from '../connection/script.ts';

/** Users looked at in one step, so that no step keeps Redis for long. */
const USERS = 500;
/** Rooms cleared of a dead pod at once. */
const REAPS = 50;
/**
 * What a pod has sent by then has arrived. Who comes back by then, of whom all were told that he had left, is announced
 * at once; later the room counts as one of which something was lost, and its members are told the list again.
 */
const REAPED_MS = 3_600_000;
/** For so long the rooms of a dead pod are known: others may keep them, and find out late that it is dead. */
const POD_MS = 86_400_000;

export interface RoomChange {
  readonly room: string;
  readonly change: PresenceChange;
}

/** What dead pods have left in the rooms, how it is found and how it is taken away. Everything raises Unavailable. */
export class PresenceReaper {
  readonly #backbone: Backbone;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
  }

  /** Takes what a dead pod had out of all rooms that can be reached. Raises Unavailable where some cannot. */
  async reap(pod: string, tell: (left: RoomChange) => void): Promise<void> {
    const { keys, shared, log } = this.#backbone;
    const rooms = keys.podPresenceRooms(pod);
    let failed: Error | undefined;
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const from: string = cursor;
      const [next, some] = await withKeyTypes({ shard: shared, log, typed: [[rooms, 'set']] }, () =>
        shared.command((client) => client.sscan(rooms, from, 'COUNT', REAPS)),
      );
      const reaped = await Promise.allSettled(some.map((room) => this.#reapIn(room, pod, tell)));
      const done = some.filter((_, index) => reaped[index]?.status === 'fulfilled');
      if (done.length > 0) await shared.command((client) => client.srem(rooms, ...done));
      failed ??= reaped.find((one) => one.status === 'rejected')?.reason as Error | undefined;
      cursor = next === '0' ? undefined : next;
    }
    if (failed !== undefined) throw failed;
  }

  /** Through which pods anybody is present in a room. */
  async podsIn(room: string): Promise<Set<string>> {
    const pods = new Set<string>();
    await this.#scan(room, SURVEY, [[this.#backbone.keys.tabs(room), 'hash']], (pod) => pods.add(pod));
    return pods;
  }

  /** Who stands in a room without a connection. */
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

  /** Sees to it that a pod which is present in a room is cleaned up after, if it is dead and that was forgotten. */
  async remember(pod: string, room: string): Promise<void> {
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
