import { type HistoryRecord, readRecord, SLOT_HEADER } from './record.ts';
import { type Tail, Tails } from './tail.ts';
import type { Names } from '../connection/names.ts';
import type { NatsLink } from '../connection/link.ts';

/** How often a read starts again because messages were trimmed while it read. */
const MOST_READS = 5;
/** The characters in the tails of all rooms together. */
const MOST_CHARS = 67_108_864;
/** So many parts of a room are read at once, since each message costs a request. */
const WALKERS = 8;
/** Each step back through the stream is so many times as wide as the one before. */
const STEP_GROWTH = 4;

export interface StoredMessagesOptions {
  readonly link: NatsLink;
  readonly names: Names;
  /** So many messages of a room are of use: one more than a reader gets. */
  readonly mostOf: (room: string) => number;
  /** So many messages of each room the stream stores. */
  readonly holds: () => number;
  readonly positionAt: (room: string, seq: number) => string;
}

/** Messages of a room, oldest first and without a gap. */
interface Walk {
  readonly entries: readonly HistoryRecord[];
  /** More messages follow. */
  readonly more: boolean;
}

/** The messages after `start`. */
export interface Run extends Walk {
  readonly start: HistoryRecord;
  /** The messages are from this pod's tail: it was subscribed all the time since `start`. */
  readonly fromTail: boolean;
}

type Query = { readonly last_by_subj: string } | { readonly seq: number; readonly next_by_subj: string };

/**
 * Reads the stored messages of rooms from the leader of the stream, which is never behind. With the tails of the rooms
 * that this pod subscribes, nearly every read costs one request. All reads raise Unavailable.
 */
export class StoredMessages {
  readonly tails: Tails;
  readonly #options: StoredMessagesOptions;

  constructor(options: StoredMessagesOptions) {
    this.#options = options;
    this.tails = new Tails(options.mostOf, MOST_CHARS);
  }

  async last(room: string): Promise<HistoryRecord | undefined> {
    const tail = this.tails.get(room);
    const known = tail?.last;
    const last = await this.#ask({ last_by_subj: this.#options.names.history(room) });
    if (tail === undefined || !this.#isCurrent(room, tail)) return last;
    // More messages may have come since the answer was sent.
    if (last === undefined) return tail.last === known ? undefined : tail.last;
    const there = tail.entries[tail.indexOf(last.seq)];
    if (there !== undefined) return there.provisionalId === last.provisionalId ? tail.last : last;
    if (tail.last === undefined) this.tails.replace(room, [last], false, this.#position(room, last));
    return last;
  }

  /** The message at this sequence, or the first of the room after it. */
  from(room: string, seq: number): Promise<HistoryRecord | undefined> {
    return this.#ask({ seq: Math.max(seq, 1), next_by_subj: this.#options.names.history(room) });
  }

  /** All stored messages of a room that are of use, up to its newest one, `last`. There may be more. */
  async all(room: string, last: HistoryRecord): Promise<readonly HistoryRecord[]> {
    const tail = await this.#extended(room, last);
    if (tail !== undefined && (tail.whole || tail.entries.length >= this.#options.mostOf(room)))
      return tail.entries.slice(0, tail.indexOf(last.seq) + 1);
    for (let read = 0; read < MOST_READS; read += 1) {
      const entries = await this.#walkBack(room, last);
      // The oldest messages are trimmed first, so nothing is missing after the one that is the oldest now.
      const oldest = (await this.from(room, 1))?.seq ?? Infinity;
      const start = entries.findIndex(({ seq }) => seq >= oldest);
      const first = entries[start];
      if (first === undefined || (start > 0 && first.seq !== oldest)) continue;
      const newest = entries.slice(start);
      this.#remember(room, newest, first.seq === oldest);
      return newest;
    }
    // The room changes faster than it can be read, so older messages have been trimmed.
    return [last];
  }

  /** The messages after the one at this sequence; undefined if that one is not stored (any more). */
  async since(room: string, seq: number, last: HistoryRecord, most: number): Promise<Run | undefined> {
    const tail = await this.#extended(room, last);
    const at = tail?.indexOf(seq) ?? -1;
    const start = tail?.entries[at];
    if (tail !== undefined && start !== undefined) {
      const entries = tail.entries.slice(at + 1, tail.indexOf(last.seq) + 1);
      return { start, entries, more: false, fromTail: true };
    }
    return this.#after(room, seq, last, most);
  }

  /**
   * Takes a message that came by subscription, after the one at `lastSeq` (0: none). Returns the position before it.
   */
  received(room: string, record: HistoryRecord, lastSeq: number): string {
    const before = this.#options.positionAt(room, lastSeq);
    const tail = this.tails.get(room);
    if (tail === undefined) return before;
    const { first, last, newest } = tail;
    if (first?.seq === record.seq) return tail.before ?? before;
    if (last !== undefined && last.seq >= record.seq) return before;
    if (lastSeq !== 0 && last?.seq !== lastSeq) this.tails.forget(room);
    if (lastSeq === 0) {
      this.tails.forget(room);
      tail.whole = true;
      tail.before = newest;
    }
    this.tails.append(room, tail, record, this.#position(room, record));
    return lastSeq === 0 ? (newest ?? before) : before;
  }

  #position(room: string, { seq }: HistoryRecord): string {
    return this.#options.positionAt(room, seq);
  }

  /** False if another tail was begun since. */
  #isCurrent(room: string, tail: Tail): boolean {
    return this.tails.get(room) === tail;
  }

  /** The room's tail, extended up to `last` by reading; undefined if that is not possible without a gap. */
  async #extended(room: string, last: HistoryRecord): Promise<Tail | undefined> {
    const tail = this.tails.get(room);
    const known = tail?.last;
    if (tail === undefined || known === undefined) return undefined;
    if (known.seq < last.seq) {
      const run = await this.#after(room, known.seq, last, Infinity);
      if (run === undefined || !this.#isCurrent(room, tail)) return undefined;
      // Some may have come by subscription since.
      const at = run.entries.findIndex(({ seq }) => seq === tail.last?.seq);
      if (at === -1 && tail.last !== known) return undefined;
      for (const record of run.entries.slice(at + 1))
        this.tails.append(room, tail, record, this.#position(room, record));
    }
    return tail.indexOf(last.seq) === -1 ? undefined : tail;
  }

  async #after(room: string, seq: number, last: HistoryRecord, most: number): Promise<Run | undefined> {
    const run = await this.#walk(room, seq, last.seq, most + 1);
    const [start, ...entries] = run.entries;
    if (start?.seq !== seq) return undefined;
    // While the message at `seq` is stored, so are all later ones.
    const isThere = (await this.from(room, seq))?.seq === seq;
    return isThere ? { start, entries, more: run.more, fromTail: false } : undefined;
  }

  /**
   * The newest messages up to `last`: as many as are of use, if the stream stores so many. The stream may store far more
   * of a room whose history is shorter than that of others; so it is read backwards, in ever larger steps.
   */
  async #walkBack(room: string, last: HistoryRecord): Promise<HistoryRecord[]> {
    const { holds, mostOf } = this.#options;
    const oldest = await this.from(room, 1);
    if (oldest === undefined || oldest.seq >= last.seq) return [last];
    const most = mostOf(room);
    let width = most < holds() ? most : Infinity;
    let entries = [last];
    for (let end = last.seq - 1; end > oldest.seq && entries.length < most; width *= STEP_GROWTH) {
      const begin = Math.max(end - width, oldest.seq) + 1;
      entries = (await this.#walkParts(room, begin, end)).concat(entries);
      end = begin - 1;
    }
    return entries.length < most ? [oldest, ...entries] : entries;
  }

  /** Messages from `begin` to `end`, in parts that are read at once. */
  async #walkParts(room: string, begin: number, end: number): Promise<HistoryRecord[]> {
    const step = Math.ceil((end + 1 - begin) / WALKERS);
    const parts = Array.from({ length: WALKERS }, async (_, part) => {
      const first = begin + part * step;
      const until = Math.min(first + step - 1, end);
      return first > until ? [] : (await this.#walk(room, first, until, Infinity)).entries;
    });
    return (await Promise.all(parts)).flat();
  }

  /** Messages from `begin` to `end`. */
  async #walk(room: string, begin: number, end: number, most: number): Promise<Walk> {
    const entries: HistoryRecord[] = [];
    for (let seq = begin; entries.length < most;) {
      const record = await this.from(room, seq);
      if (record === undefined || record.seq > end) return { entries, more: false };
      entries.push(record);
      if (record.seq === end) return { entries, more: false };
      seq = record.seq + 1;
    }
    return { entries, more: true };
  }

  /** `isWhole`: the stream stores no earlier messages of the room. */
  #remember(room: string, newest: readonly HistoryRecord[], isWhole: boolean): void {
    const tail = this.tails.get(room);
    const last = newest.at(-1);
    if (tail === undefined || last === undefined) return;
    const at = tail.indexOf(last.seq);
    // The tail continues with messages that came since, or it is another one.
    if (at === -1 && tail.last !== undefined) return;
    const entries = newest.concat(tail.entries.slice(at + 1));
    this.tails.replace(room, entries, isWhole, tail.newest ?? this.#position(room, last));
  }

  async #ask(query: Query): Promise<HistoryRecord | undefined> {
    const { link, names } = this.#options;
    const found = await link.call(({ jsm }) => jsm.streams.getMessage(names.stream('history'), query));
    if (found === null) return undefined;
    return readRecord(found.seq, found.data, found.time.getTime(), found.header?.get(SLOT_HEADER));
  }
}
