import {
  comparePositions,
  formatPosition,
  type Moment,
  parsePosition,
  type Position,
} from '../../protocol/position.ts';
import { bytesOf, type MemoryBudget } from '../shared/memory-budget.ts';
import type { Page, ReadFrom, Stored } from '../../core/ports/broker.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import type { Missing } from '../../protocol/event.ts';

export interface RoomLogOptions {
  /** What holds now; it may change. */
  readonly limits: () => HistoryLimits;
  readonly budget: MemoryBudget;
}

interface Entry extends Stored {
  readonly position: Position;
  readonly bytes: number;
}

/** Memory of a message besides its body. */
const MESSAGE_BYTES = 420;

/**
 * One room's history: the newest messages that its limits allow, and the newest position, which stays when all messages
 * are gone.
 */
export class RoomLog {
  readonly #options: RoomLogOptions;
  /** The position at which this log begins. */
  readonly #floor: Position;
  /** A room with messages after this would still have its former log: none is missing after a position from here on. */
  readonly #rememberedSince: Moment;
  #entries: Entry[] = [];
  #newest: Position;
  #newestId: string;
  /** The last position that was trimmed; all messages after it are stored. */
  #trimmedTo: Position;

  constructor(floor: Position, rememberedSince: Moment, options: RoomLogOptions) {
    this.#floor = floor;
    this.#rememberedSince = rememberedSince;
    this.#newest = floor;
    this.#newestId = formatPosition(floor);
    this.#trimmedTo = floor;
    this.#options = options;
  }

  get newest(): Position {
    return this.#newest;
  }

  /** Nothing was ever published. */
  get unused(): boolean {
    return this.#newest === this.#floor;
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  /** `position` must be later than the newest one. */
  append(position: Position, body: string): Stored {
    const bytes = MESSAGE_BYTES + bytesOf(body);
    const entry = { id: formatPosition(position), prev: this.#newestId, body, position, bytes };
    this.#entries.push(entry);
    this.#newest = position;
    this.#newestId = entry.id;
    this.#options.budget.take(bytes);
    this.#trimToSize();
    return entry;
  }

  read(from: ReadFrom, limit: number, now: number): Page {
    this.expire(now);
    if ('newest' in from) {
      const newest = from.newest === 0 ? [] : this.#entries.slice(-from.newest);
      return this.#page(newest, limit);
    }
    if ('since' in from) {
      const missing =
        this.#trimmedTo !== this.#floor && this.#trimmedTo.ms >= from.since ? 'trimmed' : undefined;
      return this.#page(
        this.#entries.filter(({ position }) => position.ms >= from.since),
        limit,
        missing,
      );
    }
    const after = parsePosition(from.after);
    const missing = this.#missingAfter(after);
    if (after === undefined || missing !== undefined) return this.#page(this.#entries, limit, missing);
    return this.#page(this.#entries, limit, undefined, this.#firstAfter(after));
  }

  /** Removes the messages that the limits of now do not allow. */
  expire(now: number): void {
    this.#trimToSize();
    const oldest = now - this.#options.limits().historyTtlMs;
    const first = this.#entries.findIndex(({ position }) => position.ms > oldest);
    this.#trim(first === -1 ? this.#entries.length : first);
  }

  clear(): void {
    this.#trim(this.#entries.length);
  }

  /** Removes the older half of the messages. */
  evictHalf(): void {
    this.#trim(Math.ceil(this.#entries.length / 2));
  }

  #trimToSize(): void {
    const tooMany = this.#entries.length - this.#options.limits().historySize;
    if (tooMany > 0) this.#trim(tooMany);
  }

  #page(entries: readonly Entry[], limit: number, missing?: Missing, first = 0): Page {
    const messages = entries.slice(first, first + limit);
    const more = first + messages.length < entries.length;
    const position = more ? (messages.at(-1)?.id ?? '') : this.#newestId;
    return { messages, position, more, missing };
  }

  #missingAfter(after: Position | undefined): Missing | undefined {
    if (after === undefined) return 'unknown_position';
    if (after.epoch !== this.#newest.epoch) return 'history_lost';
    if (after.tag !== this.#newest.tag || comparePositions(after, this.#newest) > 0)
      return 'unknown_position';
    if (comparePositions(after, this.#rememberedSince) < 0) return 'expired';
    const start = comparePositions(after, this.#floor) < 0 ? this.#floor : after;
    const toTrimmed = comparePositions(start, this.#trimmedTo);
    if (toTrimmed < 0) return 'trimmed';
    if (toTrimmed === 0) return undefined;
    const before = this.#entries[this.#firstAfter(after) - 1];
    return before !== undefined && comparePositions(before.position, after) === 0
      ? undefined
      : 'unknown_position';
  }

  /** Index of the first entry after a position, by binary search. */
  #firstAfter(position: Position): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && comparePositions(entry.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(count: number): void {
    const last = this.#entries[count - 1];
    if (last === undefined) return;
    this.#trimmedTo = last.position;
    for (const { bytes } of this.#entries.splice(0, count)) this.#options.budget.release(bytes);
  }
}
