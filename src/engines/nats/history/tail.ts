import type { HistoryRecord } from './record.ts';

/** The newest messages of a room that this pod hears, without a gap among them. */
export interface Tail {
  /** The room's newest position, that of the last entry where there is one; undefined before the first read. */
  newest: string | undefined;
  /** Oldest first. */
  entries: HistoryRecord[];
  /** Nothing older than the first entry is kept. */
  whole: boolean;
  /** The position before the first entry, where the room was empty then. */
  before: string | undefined;
  chars: number;
  readonly first: HistoryRecord | undefined;
  readonly last: HistoryRecord | undefined;
  /** Where the message at this sequence is; -1 if it is not there. */
  indexOf(seq: number): number;
}

class RoomTail implements Tail {
  newest: string | undefined;
  entries: HistoryRecord[] = [];
  whole = false;
  before: string | undefined;
  chars = 0;

  get first(): HistoryRecord | undefined {
    return this.entries[0];
  }

  get last(): HistoryRecord | undefined {
    return this.entries.at(-1);
  }

  indexOf(seq: number): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.entries[middle]?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return this.entries[low]?.seq === seq ? low : -1;
  }
}

/** The tails of all rooms that this pod hears, so that what came by itself need not be read. */
export class Tails {
  /** Those that were added to least recently first. */
  readonly #tails = new Map<string, RoomTail>();
  readonly #mostEach: number;
  readonly #mostChars: number;
  #chars = 0;

  /** Keeps so many messages of each room, and so many characters over all: those that have been quiet longest go. */
  constructor(mostEach: number, mostChars: number) {
    this.#mostEach = mostEach;
    this.#mostChars = mostChars;
  }

  get(room: string): Tail | undefined {
    return this.#tails.get(room);
  }

  begin(room: string): void {
    if (!this.#tails.has(room)) this.#tails.set(room, new RoomTail());
  }

  end(room: string): void {
    this.forget(room);
    this.#tails.delete(room);
  }

  /** Nothing that was known counts any more: another history has begun, or too much time has passed. */
  clear(): void {
    for (const room of this.#tails.keys()) this.#tails.set(room, new RoomTail());
    this.#chars = 0;
  }

  /** The room's newest position stays known. */
  forget(room: string): void {
    const tail = this.#tails.get(room);
    if (tail === undefined) return;
    this.#chars -= tail.chars;
    Object.assign(tail, { entries: [], chars: 0, whole: false, before: undefined });
  }

  /** These are the newest messages; `position` is that of the last. */
  replace(room: string, entries: readonly HistoryRecord[], whole: boolean, position: string): void {
    const tail = this.#tails.get(room);
    if (tail === undefined) return;
    const before = tail.first?.seq === entries[0]?.seq ? tail.before : undefined;
    this.forget(room);
    tail.whole = whole;
    tail.before = before;
    for (const kept of entries) this.append(room, tail, kept, position);
  }

  /** The next message of the room. */
  append(room: string, tail: Tail, kept: HistoryRecord, position: string): void {
    tail.entries.push(kept);
    tail.newest = position;
    this.#count(tail, kept.body.length);
    if (tail.entries.length > this.#mostEach) {
      this.#count(tail, -(tail.entries.shift()?.body.length ?? 0));
      tail.before = undefined;
      // The stream keeps no more either.
      tail.whole = true;
    }
    this.#touch(room);
    if (this.#chars > this.#mostChars) this.#shrink();
  }

  #count(tail: Tail, chars: number): void {
    tail.chars += chars;
    this.#chars += chars;
  }

  #touch(room: string): void {
    const tail = this.#tails.get(room);
    if (tail === undefined) return;
    this.#tails.delete(room);
    this.#tails.set(room, tail);
  }

  #shrink(): void {
    for (const room of this.#tails.keys()) {
      this.forget(room);
      if (this.#chars <= this.#mostChars / 2) return;
    }
  }
}
