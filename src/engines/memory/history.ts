import { comparePositions, type Moment, type Position, roomTag } from '../../protocol/position.ts';
import { RoomLog } from './room-log.ts';
import { Aging } from '../shared/aging.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import type { Evictable, MemoryBudget } from '../shared/memory-budget.ts';
import { POSITION_MS } from '../shared/terms.ts';
import type { Stored } from '../../core/ports/broker.ts';

export interface MemoryHistoryOptions {
  readonly limitsOf: (room: string) => HistoryLimits;
  readonly budget: MemoryBudget;
  /** Names this history. It differs after each start, so that positions of an earlier run are recognized as such. */
  readonly epoch: string;
}

interface Room {
  readonly log: RoomLog;
  subscribed: boolean;
  /** In milliseconds since 1970. */
  usedAt: number;
  /** As `MemoryBudget.use` counts. */
  use: number;
  /** The group that the room is in. */
  group: Aging<Room>;
}

/** Memory of a room besides its name and its messages. */
const ROOM_BYTES = 800;

/**
 * The histories of all rooms. The newest position of a room stays known for a day longer than its messages. When memory is short, the least recently used rooms lose messages first. Times are in milliseconds since
 * 1970.
 */
export class MemoryHistory {
  readonly #options: MemoryHistoryOptions;
  /** The rooms in three groups, each with the least recently used room first. */
  readonly #withMessages = new Aging<Room>();
  readonly #empty = new Aging<Room>();
  /** Empty, but subscribed: never forgotten, since its members hold its position. */
  readonly #emptySubscribed = new Aging<Room>();
  /** The newest position of all rooms that were forgotten early, for want of memory. */
  #forgottenUpTo: Moment = { ms: 0, seq: 0 };
  #lastMs = 0;
  #lastSeq = 0;

  constructor(options: MemoryHistoryOptions) {
    this.#options = options;
    const { budget } = options;
    budget.watch(evictable(this.#withMessages, (name, room) => this.#evictMessages(name, room)));
    budget.watch(evictable(this.#empty, (name, room) => this.#forgetEarly(name, room)));
  }

  isSubscribed(name: string): boolean {
    return this.#find(name)?.subscribed ?? false;
  }

  append(name: string, body: string, now: number): Stored {
    const room = this.#use(name, now);
    room.log.expire(now);
    const stored = room.log.append(this.#nextPosition(name, now), body);
    this.#regroup(name, room);
    this.#expire(now);
    this.#options.budget.fit();
    return stored;
  }

  subscribe(name: string, now: number): void {
    const room = this.#use(name, now);
    room.subscribed = true;
    this.#regroup(name, room);
    this.#options.budget.fit();
  }

  unsubscribe(name: string, now: number): void {
    const room = this.#find(name);
    if (room === undefined) return;
    room.subscribed = false;
    if (room.log.unused) this.#forget(name, room);
    else this.#regroup(name, this.#use(name, now));
  }

  /** The room's log. For an unknown room a new log, which is not stored. */
  logOf(name: string, now: number): RoomLog {
    return this.#find(name)?.log ?? this.#newLog(name, now);
  }

  #find(name: string): Room | undefined {
    return this.#withMessages.get(name) ?? this.#emptySubscribed.get(name) ?? this.#empty.get(name);
  }

  #use(name: string, now: number): Room {
    const room = this.#find(name) ?? this.#newRoom(name, now);
    room.usedAt = now;
    room.use = this.#options.budget.use();
    return room;
  }

  #newRoom(name: string, now: number): Room {
    this.#options.budget.take(ROOM_BYTES + name.length);
    return { log: this.#newLog(name, now), subscribed: false, usedAt: now, use: 0, group: this.#empty };
  }

  /** Moves a room that was used, or lost its messages, to the end of its group. */
  #regroup(name: string, room: Room): void {
    room.group.delete(name);
    if (!room.log.empty) room.group = this.#withMessages;
    else room.group = room.subscribed ? this.#emptySubscribed : this.#empty;
    room.group.put(name, room);
  }

  #forget(name: string, room: Room): void {
    room.group.delete(name);
    room.log.clear();
    this.#options.budget.release(ROOM_BYTES + name.length);
  }

  #newLog(name: string, now: number): RoomLog {
    const since = { ms: now - POSITION_MS, seq: 0 };
    const rememberedSince = comparePositions(since, this.#forgottenUpTo) > 0 ? since : this.#forgottenUpTo;
    const { limitsOf, budget } = this.#options;
    const limits = (): HistoryLimits => limitsOf(name);
    return new RoomLog(this.#nextPosition(name, now), rememberedSince, { limits, budget });
  }

  /** Positions grow over all rooms, so that a room that was forgotten starts again after where it ended. */
  #nextPosition(name: string, now: number): Position {
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#lastSeq = 0;
    } else this.#lastSeq += 1;
    return { epoch: this.#options.epoch, tag: roomTag(name), ms: this.#lastMs, seq: this.#lastSeq };
  }

  #expire(now: number): void {
    const { limitsOf } = this.#options;
    for (let first = this.#withMessages.oldest; first !== undefined; first = this.#withMessages.oldest) {
      const { name, thing: room } = first;
      if (room.usedAt + limitsOf(name).historyTtlMs > now) break;
      room.log.clear();
      this.#regroup(name, room);
    }
    for (let first = this.#empty.oldest; first !== undefined; first = this.#empty.oldest) {
      const { name, thing: room } = first;
      if (room.usedAt + limitsOf(name).historyTtlMs + POSITION_MS > now) break;
      this.#forget(name, room);
    }
  }

  #evictMessages(name: string, room: Room): void {
    room.log.evictHalf();
    if (room.log.empty) this.#regroup(name, room);
  }

  #forgetEarly(name: string, room: Room): void {
    const { newest } = room.log;
    if (comparePositions(newest, this.#forgottenUpTo) > 0) this.#forgottenUpTo = newest;
    this.#forget(name, room);
  }
}

function evictable(group: Aging<Room>, evict: (name: string, room: Room) => void): Evictable {
  return {
    get oldestUse() {
      return group.oldest?.thing.use;
    },
    evict() {
      if (group.oldest !== undefined) evict(group.oldest.name, group.oldest.thing);
    },
  };
}
