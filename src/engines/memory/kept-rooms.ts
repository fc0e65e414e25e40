import { comparePositions, type Moment, type Position, roomTag } from '../../protocol/position.ts';
import type { Sheds } from '../shared/held.ts';
import { POSITION_MS } from '../shared/terms.ts';
import { RoomLog, type RoomLogOptions } from './room-log.ts';
import { Aging } from '../shared/aging.ts';
import type { Stored } from '../../core/ports/broker.ts';

export interface KeptRoomsOptions extends RoomLogOptions {
  /** Names this history; another one after each start, so that no position of an earlier run is taken for its own. */
  readonly epoch: string;
}

interface KeptRoom {
  readonly log: RoomLog;
  subscribed: boolean;
  /** In milliseconds since 1970. */
  usedAt: number;
  use: number;
  place: Aging<KeptRoom>;
}

/** What a room takes besides its name and its messages. */
const ROOM_BYTES = 800;

/** The histories of all rooms in memory. A room is kept for as long as anything of it is promised and there is room. */
export class KeptRooms {
  readonly #options: KeptRoomsOptions;
  /** Those with messages, those without, and those without that are subscribed: whoever is there must find them again. */
  readonly #spoken = new Aging<KeptRoom>();
  readonly #quiet = new Aging<KeptRoom>();
  readonly #subscribed = new Aging<KeptRoom>();
  /** The newest position of a room that was forgotten before its time. */
  #forgottenUpTo: Moment = { ms: 0, seq: 0 };
  #lastMs = 0;
  #lastSeq = 0;

  constructor(options: KeptRoomsOptions) {
    this.#options = options;
    options.held.watch(this.#shedding(this.#spoken, (room, kept) => this.#halve(room, kept)));
    options.held.watch(this.#shedding(this.#quiet, (room, kept) => this.#forgetEarly(room, kept)));
  }

  isSubscribed(room: string): boolean {
    return this.#find(room)?.subscribed ?? false;
  }

  /** `now` in milliseconds since 1970, as everywhere here. */
  append(room: string, body: string, now: number): Stored {
    const kept = this.#use(room, now);
    kept.log.expire(now);
    const stored = kept.log.append(this.#nextPosition(room, now), body);
    this.#place(room, kept);
    this.#forgetOld(now);
    this.#options.held.fit();
    return stored;
  }

  subscribe(room: string, now: number): void {
    const kept = this.#use(room, now);
    kept.subscribed = true;
    this.#place(room, kept);
    this.#options.held.fit();
  }

  unsubscribe(room: string, now: number): void {
    const kept = this.#find(room);
    if (kept === undefined) return;
    kept.subscribed = false;
    if (kept.log.unused) this.#forget(room, kept);
    else this.#place(room, this.#use(room, now));
  }

  /** The room's log; where it has none, one that is not kept. */
  read(room: string, now: number): RoomLog {
    return this.#find(room)?.log ?? this.#newLog(room, now);
  }

  #find(room: string): KeptRoom | undefined {
    return this.#spoken.get(room) ?? this.#subscribed.get(room) ?? this.#quiet.get(room);
  }

  #use(room: string, now: number): KeptRoom {
    const kept = this.#find(room) ?? this.#begin(room, now);
    kept.usedAt = now;
    kept.use = this.#options.held.use();
    return kept;
  }

  #begin(room: string, now: number): KeptRoom {
    this.#options.held.take(ROOM_BYTES + room.length);
    return { log: this.#newLog(room, now), subscribed: false, usedAt: now, use: 0, place: this.#quiet };
  }

  /** Puts a room that was used, or lost its messages, where it belongs now. */
  #place(room: string, kept: KeptRoom): void {
    kept.place.delete(room);
    if (!kept.log.empty) kept.place = this.#spoken;
    else kept.place = kept.subscribed ? this.#subscribed : this.#quiet;
    kept.place.put(room, kept);
  }

  #forget(room: string, kept: KeptRoom): void {
    kept.place.delete(room);
    kept.log.clear();
    this.#options.held.release(ROOM_BYTES + room.length);
  }

  #newLog(room: string, now: number): RoomLog {
    const since = { ms: now - POSITION_MS, seq: 0 };
    const rememberedSince = comparePositions(since, this.#forgottenUpTo) > 0 ? since : this.#forgottenUpTo;
    return new RoomLog(this.#nextPosition(room, now), rememberedSince, this.#options);
  }

  /** Positions grow over all rooms, so that a room begun anew starts after where it ended before. */
  #nextPosition(room: string, now: number): Position {
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#lastSeq = 0;
    } else this.#lastSeq += 1;
    return { epoch: this.#options.epoch, tag: roomTag(room), ms: this.#lastMs, seq: this.#lastSeq };
  }

  /** What nobody is promised any more. */
  #forgetOld(now: number): void {
    const { ttlMs } = this.#options;
    for (let oldest = this.#spoken.oldest; oldest !== undefined; oldest = this.#spoken.oldest) {
      const { name: room, thing: kept } = oldest;
      if (kept.usedAt + ttlMs > now) break;
      kept.log.clear();
      this.#place(room, kept);
    }
    for (let oldest = this.#quiet.oldest; oldest !== undefined; oldest = this.#quiet.oldest) {
      const { name: room, thing: kept } = oldest;
      if (kept.usedAt + ttlMs + POSITION_MS > now) break;
      this.#forget(room, kept);
    }
  }

  #shedding(place: Aging<KeptRoom>, shed: (room: string, kept: KeptRoom) => void): Sheds {
    return {
      get oldestUse() {
        return place.oldest?.thing.use;
      },
      shed() {
        if (place.oldest !== undefined) shed(place.oldest.name, place.oldest.thing);
      },
    };
  }

  #halve(room: string, kept: KeptRoom): void {
    kept.log.shed();
    if (kept.log.empty) this.#place(room, kept);
  }

  #forgetEarly(room: string, kept: KeptRoom): void {
    const { newest } = kept.log;
    if (comparePositions(newest, this.#forgottenUpTo) > 0) this.#forgottenUpTo = newest;
    this.#forget(room, kept);
  }
}
