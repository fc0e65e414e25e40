import { type HistoryRecord, readRecord } from './record.ts';
import { type Tail, Tails } from './tail.ts';
import type { Names } from '../connection/names.ts';
import type { NatsLink } from '../connection/link.ts';

/** How often a read is begun anew because what it reads is trimmed meanwhile. */
const MOST_READS = 5;
/** Characters of the tails of all rooms. */
const MOST_CHARS = 67_108_864;
/** How many ask for parts of a room at once: each message costs a request. */
const WALKERS = 8;

export interface StoredMessagesOptions {
  readonly link: NatsLink;
  readonly names: Names;
  /** What the stream keeps per room. */
  readonly most: number;
  /** Writes the position of a room's message. */
  readonly positionAt: (room: string, seq: number) => string;
}

/** Messages of a room, oldest first and without a gap. */
interface Walk {
  readonly entries: readonly HistoryRecord[];
  /** There are more of them. */
  readonly more: boolean;
}

/** What came after a message. */
export interface Run extends Walk {
  readonly start: HistoryRecord;
  /** This pod has heard the room all the time since then. */
  readonly fromTail: boolean;
}

type Query = { readonly last_by_subj: string } | { readonly seq: number; readonly next_by_subj: string };

/**
 * What NATS keeps of a room, asked of the leader of the stream, who is never behind; and the tails of the rooms that
 * this pod hears, with which nearly every read costs one request. Everything that asks raises Unavailable.
 */
export class StoredMessages {
  readonly tails: Tails;
  readonly #options: StoredMessagesOptions;

  constructor(options: StoredMessagesOptions) {
    this.#options = options;
    this.tails = new Tails(options.most, MOST_CHARS);
  }

  /** The newest message of a room. */
  async last(room: string): Promise<HistoryRecord | undefined> {
    const tail = this.tails.get(room);
    const known = tail?.last;
    const last = await this.#ask({ last_by_subj: this.#options.names.history(room) });
    if (tail === undefined || !this.#isCurrent(room, tail)) return last;
    // More may have come while the answer was on its way.
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

  /** Everything that is kept of a room up to its newest message. */
  async all(room: string, last: HistoryRecord): Promise<readonly HistoryRecord[]> {
    const tail = await this.#extended(room, last);
    // More may have come since.
    if (tail?.whole) return tail.entries.slice(0, tail.indexOf(last.seq) + 1);
    for (let read = 0; read < MOST_READS; read += 1) {
      const entries = await this.#walkAll(room, last);
      // What goes goes from the oldest on: behind what is the oldest now nothing is missing.
      const oldest = await this.from(room, 1);
      const start = entries.findIndex(({ seq }) => seq === oldest?.seq);
      if (start === -1) continue;
      const whole = entries.slice(start);
      this.#remember(room, whole);
      return whole;
    }
    // It changes faster than it can be read: nothing older is there any more.
    return [last];
  }

  /** What came after the message at this sequence; undefined where that is not kept (any more). */
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

  /** A message came by itself, behind the one at `lastSeq` (0: the room had none); the position before it. */
  heard(room: string, kept: HistoryRecord, lastSeq: number): string {
    const before = this.#options.positionAt(room, lastSeq);
    const tail = this.tails.get(room);
    if (tail === undefined) return before;
    const { first, last, newest } = tail;
    if (first?.seq === kept.seq) return tail.before ?? before;
    if (last !== undefined && last.seq >= kept.seq) return before;
    if (lastSeq !== 0 && last?.seq !== lastSeq) this.tails.forget(room);
    if (lastSeq === 0) {
      this.tails.forget(room);
      tail.whole = true;
      tail.before = newest;
    }
    this.tails.append(room, tail, kept, this.#position(room, kept));
    return lastSeq === 0 ? (newest ?? before) : before;
  }

  #position(room: string, { seq }: HistoryRecord): string {
    return this.#options.positionAt(room, seq);
  }

  /** Not if another tail was begun meanwhile. */
  #isCurrent(room: string, tail: Tail): boolean {
    return this.tails.get(room) === tail;
  }

  /** The room's tail, up to this message; undefined where what is known does not reach there. */
  async #extended(room: string, last: HistoryRecord): Promise<Tail | undefined> {
    const tail = this.tails.get(room);
    const known = tail?.last;
    if (tail === undefined || known === undefined) return undefined;
    if (known.seq < last.seq) {
      const run = await this.#after(room, known.seq, last, Infinity);
      if (run === undefined || !this.#isCurrent(room, tail)) return undefined;
      // Some of them may have come by themselves.
      const at = run.entries.findIndex(({ seq }) => seq === tail.last?.seq);
      if (at === -1 && tail.last !== known) return undefined;
      for (const kept of run.entries.slice(at + 1))
        this.tails.append(room, tail, kept, this.#position(room, kept));
    }
    return tail.indexOf(last.seq) === -1 ? undefined : tail;
  }

  async #after(room: string, seq: number, last: HistoryRecord, most: number): Promise<Run | undefined> {
    const run = await this.#walk(room, seq, last.seq, most + 1);
    const [start, ...entries] = run.entries;
    if (start?.seq !== seq) return undefined;
    // As long as this one is there, so is all that follows.
    const isThere = (await this.from(room, seq))?.seq === seq;
    return isThere ? { start, entries, more: run.more, fromTail: false } : undefined;
  }

  /** Everything, by some walkers at once. */
  async #walkAll(room: string, last: HistoryRecord): Promise<HistoryRecord[]> {
    const oldest = await this.from(room, 1);
    if (oldest === undefined || oldest.seq >= last.seq) return [last];
    const step = Math.ceil((last.seq - oldest.seq) / WALKERS);
    const parts = Array.from({ length: WALKERS }, async (_, part) => {
      const begin = oldest.seq + 1 + part * step;
      const end = Math.min(begin + step - 1, last.seq);
      return begin > end ? [] : (await this.#walk(room, begin, end, Infinity)).entries;
    });
    return [oldest, ...(await Promise.all(parts)).flat()];
  }

  /** From a sequence to another. */
  async #walk(room: string, begin: number, end: number, most: number): Promise<Walk> {
    const entries: HistoryRecord[] = [];
    for (let seq = begin; entries.length < most;) {
      const kept = await this.from(room, seq);
      if (kept === undefined || kept.seq > end) return { entries, more: false };
      entries.push(kept);
      if (kept.seq === end) return { entries, more: false };
      seq = kept.seq + 1;
    }
    return { entries, more: true };
  }

  #remember(room: string, whole: readonly HistoryRecord[]): void {
    const tail = this.tails.get(room);
    const last = whole.at(-1);
    if (tail === undefined || last === undefined) return;
    const at = tail.indexOf(last.seq);
    // It goes on with what has come since.
    if (at === -1 && tail.last !== undefined) return;
    const entries = whole.concat(tail.entries.slice(at + 1));
    this.tails.replace(room, entries, true, tail.newest ?? this.#position(room, last));
  }

  async #ask(query: Query): Promise<HistoryRecord | undefined> {
    const { link, names } = this.#options;
    const found = await link.call(({ jsm }) => jsm.streams.getMessage(names.stream('history'), query));
    return found === null ? undefined : readRecord(found.seq, found.data, found.time.getTime());
  }
}
