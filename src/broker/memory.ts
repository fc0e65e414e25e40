import type { Broker, Page, PublishOptions, Published, ReadFrom, Receiver } from '../core/ports/broker.ts';
import { type Position, roomTag } from '../protocol/position.ts';
import { Claims } from './claims.ts';
import type { Clock } from '../core/ports/clock.ts';
import { type Held, POSITION_MS, RoomLog } from './room-log.ts';

/** More than that is not kept over all rooms: those that have been quiet longest lose their messages first. */
export const MOST_CHARS = 67_108_864;
/** The newest positions of so many rooms without messages are known. */
const MOST_QUIET_ROOMS = 100_000;

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** Names this history; another one after each start, so that no position of an earlier run is taken for its own. */
  readonly epoch: string;
  /** Messages kept per room. */
  readonly historySize: number;
  readonly historyTtlMs: number;
}

interface KeptRoom {
  readonly log: RoomLog;
  touchedAt: number;
}

/** The broker of a single pod: rooms and their history in its own memory, gone when it stops. */
export class MemoryBroker implements Broker {
  readonly #options: MemoryBrokerOptions;
  readonly #claims = new Claims();
  readonly #subscribed = new Set<string>();
  /** Least recently published first; a room moves to the second map when its messages have expired. */
  readonly #rooms = new Map<string, KeptRoom>();
  readonly #quiet = new Map<string, KeptRoom>();
  readonly #held: Held = { bytes: 0 };
  /** The newest position of a room that was forgotten before its time, in milliseconds since 1970. */
  #forgottenUpTo = 0;
  #receiver: Receiver | undefined;
  #lastMs = 0;
  #lastSeq = 0;

  constructor(options: MemoryBrokerOptions) {
    this.#options = options;
  }

  get available(): boolean {
    return true;
  }

  reaches(): boolean {
    return true;
  }

  now(): number {
    return this.#options.clock.now();
  }

  start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    return Promise.resolve();
  }

  /** There is no other pod. */
  tell(): Promise<void> {
    return Promise.resolve();
  }

  tellAll(): Promise<void> {
    return Promise.resolve();
  }

  publish(room: string, body: string, { key, trace }: PublishOptions = {}): Promise<Published> {
    const { clock } = this.#options;
    const now = clock.now();
    const claim = key === undefined ? undefined : `${room}\n${key}`;
    const first = claim === undefined ? undefined : this.#claims.get(claim, clock.elapsed());
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    const stored = this.#touch(room, now).append(this.#nextPosition(room, now), body);
    if (claim !== undefined) this.#claims.set(claim, stored.id, clock.elapsed());
    this.#forgetOld(now);
    if (this.#subscribed.has(room)) {
      this.#receiver?.message(room, trace === undefined ? stored : { ...stored, trace });
    }
    return Promise.resolve({ id: stored.id, duplicate: false });
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return Promise.resolve(this.#claims.claim(`${room}\n${key}`, id, this.#options.clock.elapsed()));
  }

  subscribe(room: string): Promise<void> {
    this.#subscribed.add(room);
    this.#touch(room, this.#options.clock.now());
    return Promise.resolve();
  }

  unsubscribe(room: string): void {
    this.#subscribed.delete(room);
    if (!this.#logOf(room)?.unused) return;
    this.#rooms.delete(room);
    this.#quiet.delete(room);
  }

  read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const now = this.#options.clock.now();
    const log = this.#logOf(room) ?? this.#newLog(room, now);
    return Promise.resolve(log.read(from, limit, now));
  }

  stop(): Promise<void> {
    this.#subscribed.clear();
    return Promise.resolve();
  }

  /** The room's log, now the most recently used. */
  #touch(room: string, now: number): RoomLog {
    const log = this.#logOf(room) ?? this.#newLog(room, now);
    this.#rooms.delete(room);
    this.#quiet.delete(room);
    this.#rooms.set(room, { log, touchedAt: now });
    return log;
  }

  #logOf(room: string): RoomLog | undefined {
    return (this.#rooms.get(room) ?? this.#quiet.get(room))?.log;
  }

  #newLog(room: string, now: number): RoomLog {
    const { historySize, historyTtlMs } = this.#options;
    const rememberedSince = Math.max(now - POSITION_MS, this.#forgottenUpTo);
    const options = { size: historySize, ttlMs: historyTtlMs, rememberedSince, held: this.#held };
    return new RoomLog(this.#nextPosition(room, now), options);
  }

  /** Positions grow over all rooms, so that a room begun anew starts after where it ended before. */
  #nextPosition(room: string, now: number): Position {
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#lastSeq = 0;
    } else this.#lastSeq += 1;
    return { epoch: this.#options.epoch, tag: roomTag(room), ms: this.#lastMs, seq: this.#lastSeq };
  }

  /** Looks only at the rooms that have been quiet longest. */
  #forgetOld(now: number): void {
    const { historyTtlMs } = this.#options;
    for (const [room, kept] of this.#rooms) {
      if (kept.touchedAt + historyTtlMs > now && this.#held.bytes <= MOST_CHARS) break;
      kept.log.clear();
      this.#rooms.delete(room);
      this.#quiet.set(room, kept);
    }
    for (const [room, kept] of this.#quiet) {
      const isDue = kept.touchedAt + historyTtlMs + POSITION_MS <= now;
      if (!isDue && this.#quiet.size <= MOST_QUIET_ROOMS) break;
      this.#quiet.delete(room);
      // Whoever is in the room holds its newest position and must find it again.
      if (this.#subscribed.has(room)) this.#quiet.set(room, { log: kept.log, touchedAt: now });
      else if (!isDue) this.#forgottenUpTo = Math.max(this.#forgottenUpTo, kept.log.newest.ms);
      if (!isDue && this.#subscribed.has(room)) break;
    }
  }
}
