import { isMoment, missingAfter, missingInEmpty } from './missing.ts';
import type { Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { formatPosition, parsePosition, type Position, roomTag } from '../../../protocol/position.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { HistoryRecord } from './record.ts';
import type { Run, StoredMessages } from './stored-messages.ts';
import type { Missing } from '../../../protocol/event.ts';
import { POSITION_MS } from '../../shared/terms.ts';

export interface NatsReadsOptions {
  readonly messages: StoredMessages;
  /** A reader gets so many messages of the room, none of them older. */
  readonly limitsOf: (room: string) => HistoryLimits;
  /** So many messages of each room the stream stores. */
  readonly holds: () => number;
  readonly now: () => number;
  readonly epoch: () => string;
  readonly positionAt: (room: string, seq: number) => string;
  /** The position of an empty room. */
  readonly momentOf: (room: string) => string;
  readonly stored: (room: string, record: HistoryRecord, prev: string) => Stored;
}

/** A part of a room's history. */
interface Part {
  /** Messages before the entries, as far as they were read. They give the position before the first entry. */
  readonly behind: readonly HistoryRecord[];
  /** The position before the first entry, if `behind` has no message there. */
  readonly before: string;
  readonly entries: readonly HistoryRecord[];
  readonly more?: boolean;
  readonly missing?: Missing | undefined;
}

/** Reads pages of rooms. The stream stores more messages of a room, and for longer, than a reader gets. */
export class NatsReads {
  readonly #options: NatsReadsOptions;

  constructor(options: NatsReadsOptions) {
    this.#options = options;
  }

  /** `last`: the room's newest message. Raises Unavailable. */
  async read(room: string, from: ReadFrom, limit: number, last: HistoryRecord | undefined): Promise<Page> {
    const { messages, momentOf, positionAt } = this.#options;
    const alive = last !== undefined && this.#isAlive(room, last) ? last : undefined;
    const tail = messages.tails.get(room);
    // The members of an empty room hold its position, so it must not change.
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
    const all = await this.#options.messages.all(room, last);
    const whole = this.#oldest(room, all);
    if ('newest' in from) return { ...whole, entries: whole.entries.slice(-from.newest) };
    const entries = whole.entries.filter(({ placedAt }) => placedAt >= from.since);
    const isCut = all
      .slice(0, all.length - whole.entries.length)
      .some(({ placedAt }) => placedAt >= from.since);
    return { ...whole, entries, missing: isCut ? 'trimmed' : undefined };
  }

  async #after(room: string, after: string, limit: number, last: HistoryRecord): Promise<Part> {
    const { messages, now, limitsOf } = this.#options;
    const { historySize: size } = limitsOf(room);
    const position = parsePosition(after);
    const wrong = this.#wrong(room, after);
    if (position === undefined || wrong !== undefined)
      return this.#beyond(room, after, await messages.all(room, last), wrong);
    const run = isMoment(position) ? undefined : await this.#since(room, position, last, limit);
    const isStored = run !== undefined && (run.fromTail || this.#isAlive(room, run.start));
    const isGood = isStored && run.entries.length + Number(run.more) <= size;
    if (isGood && run.entries.every((one) => this.#isFresh(room, one)))
      return { behind: [], before: after, entries: run.entries, more: run.more };
    const all = await messages.all(room, last);
    // One more than a reader gets, which tells whether others were trimmed.
    const alive = all.slice(-size - 1).filter((one) => this.#isAlive(room, one));
    const isBefore = after === messages.tails.get(room)?.before && alive.length <= size;
    const missing = isBefore || isGood ? undefined : missingAfter(position, { entries: alive, size }, now());
    const whole = this.#oldest(room, all);
    if (missing !== undefined) return { ...whole, missing };
    const isCut = alive.some((one) => one.seq > position.ms && !this.#isFresh(room, one));
    if (isCut) return { ...whole, missing: 'trimmed' };
    return { ...whole, before: after, entries: newer(whole.entries, position) };
  }

  /** The messages after a position, or enough to tell that they are more than a reader gets. */
  #since(room: string, position: Position, last: HistoryRecord, limit: number): Promise<Run | undefined> {
    const { holds, limitsOf, messages } = this.#options;
    const { historySize: size } = limitsOf(room);
    // Where the stream stores no more than a reader gets, the page is enough.
    const most = size + 1 < holds() ? Math.max(limit, size) : limit;
    return messages.since(room, position.ms, last, most);
  }

  /**
   * Reads from a position of another epoch or room. If the message with this id is still stored, the page starts after
   * it: else a client that reads on from its last message would get the same page forever.
   */
  #beyond(room: string, after: string, all: readonly HistoryRecord[], missing: Missing | undefined): Part {
    const whole = this.#oldest(room, all);
    const at = whole.entries.findIndex((one) => this.#options.stored(room, one, '').id === after);
    return { ...whole, entries: whole.entries.slice(at + 1), missing };
  }

  /** What a reader gets of a room. */
  #oldest(room: string, all: readonly HistoryRecord[]): Part {
    const { limitsOf, messages, positionAt } = this.#options;
    const { historySize: size } = limitsOf(room);
    const shown = size === 0 ? [] : all.slice(-size);
    const entries = shown.filter((one) => this.#isFresh(room, one));
    return { behind: all, before: messages.tails.get(room)?.before ?? positionAt(room, 0), entries };
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

  /** Why this room cannot have had the position; undefined: it can. */
  #wrong(room: string, after: string): Missing | undefined {
    const position = parsePosition(after);
    if (position === undefined) return 'unknown_position';
    if (position.epoch !== this.#options.epoch()) return 'history_lost';
    // A position has either a sequence or a moment.
    const isForm = (isMoment(position) || position.seq === 0) && formatPosition(position) === after;
    return position.tag === roomTag(room) && isForm ? undefined : 'unknown_position';
  }

  #missingInEmpty(room: string, after: string): Missing | undefined {
    const position = parsePosition(after);
    const wrong = this.#wrong(room, after);
    if (wrong !== undefined || position === undefined) return wrong;
    return missingInEmpty(position, this.#options.now());
  }

  #isFresh(room: string, { at }: HistoryRecord): boolean {
    const { limitsOf, now } = this.#options;
    return at > now() - limitsOf(room).historyTtlMs;
  }

  /** Older messages do not count: their room is forgotten. */
  #isAlive(room: string, { at }: HistoryRecord): boolean {
    const { limitsOf, now } = this.#options;
    return at > now() - limitsOf(room).historyTtlMs - POSITION_MS;
  }
}

function nothing(before: string): Part {
  return { behind: [], before, entries: [] };
}

function newer(entries: readonly HistoryRecord[], { ms: seq }: Position): readonly HistoryRecord[] {
  return entries.filter((one) => one.seq > seq);
}
