import type {
  Broker,
  Fleeting,
  LastValue,
  LastValueSlot,
  Page,
  PublishOptions,
  Published,
  ReadFrom,
  Receiver,
} from '../../core/ports/broker.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import { LastValues } from './last-values.ts';
import { Claims } from '../shared/claims.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { MemoryBudget } from '../shared/memory-budget.ts';
import { MemoryHistory } from './history.ts';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** Names this history. It differs after each start, so that positions of an earlier run are recognized as such. */
  readonly epoch: string;
  readonly limitsOf: (room: string) => HistoryLimits;
  readonly budget: MemoryBudget;
}

/** The broker of a single pod. Its history is in memory, and is gone when the process ends. */
export class MemoryBroker implements Broker {
  readonly #clock: Clock;
  readonly #claims: Claims;
  readonly #history: MemoryHistory;
  readonly #lastValues: LastValues;
  #receiver: Receiver | undefined;

  constructor({ clock, epoch, limitsOf, budget }: MemoryBrokerOptions) {
    this.#clock = clock;
    this.#claims = new Claims(budget);
    this.#history = new MemoryHistory({ epoch, limitsOf, budget });
    this.#lastValues = new LastValues(budget);
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

  /** No other pod exists to be told. */
  tell(room: string, message: Fleeting, lastValue?: LastValueSlot): Promise<void> {
    if (lastValue !== undefined) this.#lastValues.set(room, lastValue, message, this.#clock.now());
    return Promise.resolve();
  }

  lastValue(room: string, slot: LastValueSlot): Promise<LastValue | undefined> {
    return Promise.resolve(this.#lastValues.get(room, slot, this.#clock.now()));
  }

  tellAll(): Promise<void> {
    return Promise.resolve();
  }

  publish(room: string, body: string, { key, trace, lastValue }: PublishOptions = {}): Promise<Published> {
    const elapsed = this.#clock.elapsed();
    const claim = key === undefined ? undefined : `${room}\n${key}`;
    const first = claim === undefined ? undefined : this.#claims.get(claim, elapsed);
    if (first !== undefined) return Promise.resolve({ id: first, duplicate: true });
    const stored = this.#history.append(room, body, this.#clock.now());
    if (claim !== undefined) this.#claims.set(claim, stored.id, elapsed);
    if (lastValue !== undefined) this.#lastValues.set(room, lastValue, stored, this.#clock.now());
    if (this.#history.isSubscribed(room)) {
      this.#receiver?.message(room, trace === undefined ? stored : { ...stored, trace });
    }
    return Promise.resolve({ id: stored.id, duplicate: false });
  }

  claimed(room: string, key: string): Promise<string | undefined> {
    return Promise.resolve(this.#claims.get(`${room}\n${key}`, this.#clock.elapsed()));
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return Promise.resolve(this.#claims.claim(`${room}\n${key}`, id, this.#clock.elapsed()));
  }

  subscribe(room: string): Promise<void> {
    this.#history.subscribe(room, this.#clock.now());
    return Promise.resolve();
  }

  unsubscribe(room: string): void {
    this.#history.unsubscribe(room, this.#clock.now());
  }

  read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const now = this.#clock.now();
    return Promise.resolve(this.#history.logOf(room, now).read(from, limit, now));
  }

  stop(): Promise<void> {
    this.#receiver = undefined;
    return Promise.resolve();
  }
}
