import type { HistoryRecord } from './record.ts';

/** The newest messages of a room that this pod subscribes, without a gap. */
export interface Tail {
  /** The room's newest position; undefined before the first read. */
  newest: string | undefined;
  /** Oldest first. */
  entries: HistoryRecord[];
  /** The stream stores nothing older than the first entry. */
  whole: boolean;
  /** The position before the first entry, if the room was empty then. */
  before: string | undefined;
  chars: number;
  readonly first: HistoryRecord | undefined;
  readonly last: HistoryRecord | undefined;
  /** The index of the message at this sequence; -1 if there is none. */
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

/** The tails of all rooms that this pod subscribes. Messages that came by subscription need not be read. */
export class Tails {
  /** Least recently extended first. */
  readonly #tails = new Map<string, RoomTail>();
  readonly #mostOf: (room: string) => number;
  readonly #mostChars: number;
  #chars = 0;

  /** Holds `mostOf` messages of a room, and `mostChars` over all rooms: the quietest rooms lose theirs first. */
  constructor(mostOf: (room: string) => number, mostChars: number) {
    this.#mostOf = mostOf;
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

  /** Forgets everything: another history has begun, or too much time has passed. */
  clear(): void {
    for (const room of this.#tails.keys()) this.#tails.set(room, new RoomTail());
    this.#chars = 0;
  }

  /** Forgets the messages, but not the newest position. */
  forget(room: string): void {
    const tail = this.#tails.get(room);
    if (tail === undefined) return;
    this.#chars -= tail.chars;
    Object.assign(tail, { entries: [], chars: 0, whole: false, before: undefined });
  }

  /** `entries` are the newest messages; `position` is that of the last. */
  replace(room: string, entries: readonly HistoryRecord[], whole: boolean, position: string): void {
    const tail = this.#tails.get(room);
    if (tail === undefined) return;
    const before = tail.first?.seq === entries[0]?.seq ? tail.before : undefined;
    this.forget(room);
    tail.whole = whole;
    tail.before = before;
    for (const record of entries) this.append(room, tail, record, position);
  }

  /** The next message of the room. */
  append(room: string, tail: Tail, record: HistoryRecord, position: string): void {
    tail.entries.push(record);
    tail.newest = position;
    this.#count(tail, record.body.length);
    for (const most = this.#mostOf(room); tail.entries.length > most;) {
      this.#count(tail, -(tail.entries.shift()?.body.length ?? 0));
      tail.before = undefined;
      // The stream may store more of a room.
      tail.whole = false;
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
