import type { Broker, Page, PublishOptions, Published, ReadFrom, Receiver } from '../../core/ports/broker.ts';
import { Claims } from '../shared/claims.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Held } from '../shared/held.ts';
import { KeptRooms } from './kept-rooms.ts';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** Names this history; another one after each start, so that no position of an earlier run is taken for its own. */
  readonly epoch: string;
  /** Messages kept per room. */
  readonly historySize: number;
  readonly historyTtlMs: number;
  /** What it may keep, with others: beyond that the oldest goes. */
  readonly held: Held;
}

/** The broker of a single pod: rooms and their history in its own memory, gone when it stops. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #claims: Claims;
  readonly #rooms: KeptRooms;
  #receiver: Receiver | undefined;

  constructor({ clock, epoch, historySize: size, historyTtlMs: ttlMs, held }: MemoryBrokerOptions) {
    this.#clock = clock;
    this.#claims = new Claims(held);
    this.#rooms = new KeptRooms({ epoch, size, ttlMs, held });
  }

  get available(): boolean {
    return true;
  }

  reaches(): boolean {
    return true;
  }

  now(): number {
    return this.#clock.now();
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
    const elapsed = this.#clock.elapsed();
    const claim = key === undefined ? undefined : `${room}\n${key}`;
    const first = claim === undefined ? undefined : this.#claims.get(claim, elapsed);
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    const stored = this.#rooms.append(room, body, this.#clock.now());
    if (claim !== undefined) this.#claims.set(claim, stored.id, elapsed);
    if (this.#rooms.isSubscribed(room)) {
      this.#receiver?.message(room, trace === undefined ? stored : { ...stored, trace });
    }
    return Promise.resolve({ id: stored.id, duplicate: false });
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return Promise.resolve(this.#claims.claim(`${room}\n${key}`, id, this.#clock.elapsed()));
  }

  subscribe(room: string): Promise<void> {
    this.#rooms.subscribe(room, this.#clock.now());
    return Promise.resolve();
  }

  unsubscribe(room: string): void {
    this.#rooms.unsubscribe(room, this.#clock.now());
  }

  read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const now = this.#clock.now();
    return Promise.resolve(this.#rooms.read(room, now).read(from, limit, now));
  }

  stop(): Promise<void> {
    this.#receiver = undefined;
    return Promise.resolve();
  }
}
