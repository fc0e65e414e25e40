import { isMoment, missingAfter, missingInEmpty } from './missing.ts';
import type { Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { formatPosition, parsePosition, type Position, roomTag } from '../../../protocol/position.ts';
import type { HistoryRecord } from './record.ts';
import type { StoredMessages } from './stored-messages.ts';
import type { Missing } from '../../../protocol/event.ts';
import { POSITION_MS } from '../../shared/terms.ts';

export interface NatsReadsOptions {
  readonly kept: StoredMessages;
  /** Messages that are given of each room; one more is kept. */
  readonly size: number;
  readonly ttlMs: number;
  readonly now: () => number;
  readonly epoch: () => string;
  readonly positionAt: (room: string, seq: number) => string;
  /** The position of an empty room. */
  readonly momentOf: (room: string) => string;
  readonly stored: (room: string, kept: HistoryRecord, prev: string) => Stored;
}

/** A part of a room's history. */
interface Part {
  /** Everything before it, as far as that is at hand; for the position before the first entry. */
  readonly behind: readonly HistoryRecord[];
  /** The position before the first entry, where that is no message at hand. */
  readonly before: string;
  readonly entries: readonly HistoryRecord[];
  readonly more?: boolean;
  readonly missing?: Missing | undefined;
}

/** Reads pages of rooms. What is older than the time to live is given to nobody, although it is kept for longer. */
export class NatsReads {
  readonly #options: NatsReadsOptions;

  constructor(options: NatsReadsOptions) {
    this.#options = options;
  }

  /** `last`: the room's newest message. Raises Unavailable. */
  async read(room: string, from: ReadFrom, limit: number, last: HistoryRecord | undefined): Promise<Page> {
    const { kept, momentOf, positionAt } = this.#options;
    const alive = last !== undefined && this.#isAlive(last) ? last : undefined;
    const tail = kept.tails.get(room);
    // Whoever is in an empty room holds its position.
    if (alive === undefined && tail !== undefined) tail.newest ??= momentOf(room);
    const newest = alive === undefined ? (tail?.newest ?? momentOf(room)) : positionAt(room, alive.seq);
    const part = await this.#part(room, from, limit, alive, newest);
    return this.#page(room, part, limit, newest);
  }

  #part(
    room: string,
    from: ReadFrom,
    limit: number,
    last: HistoryRecord | undefined,
    newest: string,
  ): Part | Promise<Part> {
    if ('after' in from) {
      if (from.after === newest) return nothing(newest);
      return last === undefined
        ? { ...nothing(newest), missing: this.#missingInEmpty(room, from.after) }
        : this.#after(room, from.after, limit, last);
    }
    if (last === undefined || ('newest' in from && from.newest === 0)) return nothing(newest);
    return this.#newest(room, from, last);
  }

  async #newest(
    room: string,
    from: { newest: number } | { since: number },
    last: HistoryRecord,
  ): Promise<Part> {
    const all = await this.#options.kept.all(room, last);
    const whole = this.#oldest(room, all);
    if ('newest' in from) return { ...whole, entries: whole.entries.slice(-from.newest) };
    const entries = whole.entries.filter(({ placedAt }) => placedAt >= from.since);
    const isCut = all
      .slice(0, all.length - whole.entries.length)
      .some(({ placedAt }) => placedAt >= from.since);
    return { ...whole, entries, missing: isCut ? 'trimmed' : undefined };
  }

  async #after(room: string, after: string, limit: number, last: HistoryRecord): Promise<Part> {
    const { kept, now, size } = this.#options;
    const position = parsePosition(after);
    const wrong = this.#wrong(room, after);
    if (position === undefined || wrong !== undefined)
      return this.#beyond(room, after, await kept.all(room, last), wrong);
    const run = isMoment(position) ? undefined : await kept.since(room, position.ms, last, limit);
    const isGood = run !== undefined && (run.fromTail || this.#isAlive(run.start));
    if (isGood && run.entries.every((one) => this.#isFresh(one)))
      return { behind: [], before: after, entries: run.entries, more: run.more };
    const all = await kept.all(room, last);
    const alive = all.filter((one) => this.#isAlive(one));
    const isBefore = after === kept.tails.get(room)?.before;
    const missing = isBefore || isGood ? undefined : missingAfter(position, { entries: alive, size }, now());
    const whole = this.#oldest(room, all);
    if (missing !== undefined) return { ...whole, missing };
    const isCut = alive.some((one) => one.seq > position.ms && !this.#isFresh(one));
    if (isCut) return { ...whole, missing: 'trimmed' };
    return { ...whole, before: after, entries: newer(whole.entries, position) };
  }

  /**
   * From a position of before the history went back, or none of this room's. Where its very message is still there the
   * rest follows: whoever goes on from message to message would else be given the same ones for ever.
   */
  #beyond(room: string, after: string, all: readonly HistoryRecord[], missing: Missing | undefined): Part {
    const whole = this.#oldest(room, all);
    const at = whole.entries.findIndex((one) => this.#options.stored(room, one, '').id === after);
    return { ...whole, entries: whole.entries.slice(at + 1), missing };
  }

  /** All that is given of a room. */
  #oldest(room: string, all: readonly HistoryRecord[]): Part {
    const { kept, size, positionAt } = this.#options;
    const entries = all.slice(-size).filter((one) => this.#isFresh(one));
    return { behind: all, before: kept.tails.get(room)?.before ?? positionAt(room, 0), entries };
  }

  #page(room: string, part: Part, limit: number, newest: string): Page {
    const { positionAt, stored } = this.#options;
    const shown = part.entries.slice(0, limit);
    const more = part.more === true || part.entries.length > limit;
    const [first] = shown;
    const at = first === undefined ? -1 : part.behind.findIndex(({ seq }) => seq === first.seq);
    let prev = at > 0 ? positionAt(room, part.behind[at - 1]?.seq ?? 0) : part.before;
    const messages = shown.map((one) => {
      const message = stored(room, one, prev);
      prev = positionAt(room, one.seq);
      return message;
    });
    const position = more && messages.length > 0 ? prev : newest;
    return { messages, position, more, missing: part.missing };
  }

  /** Why it is no position that this room can have had. */
  #wrong(room: string, after: string): Missing | undefined {
    const position = parsePosition(after);
    if (position === undefined) return 'unknown_position';
    if (position.epoch !== this.#options.epoch()) return 'history_lost';
    // A sequence is that of a message, or there is none and the rest is the moment.
    const isForm = (isMoment(position) || position.seq === 0) && formatPosition(position) === after;
    return position.tag === roomTag(room) && isForm ? undefined : 'unknown_position';
  }

  #missingInEmpty(room: string, after: string): Missing | undefined {
    const position = parsePosition(after);
    const wrong = this.#wrong(room, after);
    if (wrong !== undefined || position === undefined) return wrong;
    return missingInEmpty(position, this.#options.now());
  }

  #isFresh({ at }: HistoryRecord): boolean {
    return at > this.#options.now() - this.#options.ttlMs;
  }

  /** Later than that its room counts as forgotten. */
  #isAlive({ at }: HistoryRecord): boolean {
    return at > this.#options.now() - this.#options.ttlMs - POSITION_MS;
  }
}

function nothing(before: string): Part {
  return { behind: [], before, entries: [] };
}

function newer(entries: readonly HistoryRecord[], { ms: seq }: Position): readonly HistoryRecord[] {
  return entries.filter((one) => one.seq > seq);
}
