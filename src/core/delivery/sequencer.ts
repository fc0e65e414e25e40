import { comparePositions, parsePosition } from '../../protocol/position.ts';
import type { Page, Stored } from '../ports/broker.ts';
import type { Missing } from '../../protocol/event.ts';
import { isUnavailable } from '../base/refused.ts';

/** So many messages wait while a gap is read; further ones are dropped and read from the history. */
const WAITING_LIMIT = 1_000;

/** What the sequencer needs of its room. */
export interface SequencerRoom {
  /**
   * Reads the history after a position. If it raises `unavailable`, the room will call `expect` later; after any other
   * error the sequencer retries.
   */
  readAfter(position: string): Promise<Page>;
  /** Delivers a message to the members on this pod; called once per message, in the order of the room. */
  deliver(stored: Stored): void;
  /** Messages are gone for good. The `replayed` messages that are left follow, all in this turn. */
  lost(missing: Missing, replayed: number): void;
  /** Resolves after a pause that grows with the number of failed attempts. */
  pause(attempt: number): Promise<void>;
}

/** The result of an attempt to close a gap. `unavailable`: `expect` will start another attempt. */
type Attempt = 'closed' | 'again' | 'unavailable';

/**
 * Puts what a subscription brings into the one order of the room. A message whose `prev` is the last delivered position
 * is delivered. A message at or before that position is an echo or a duplicate, and dropped. Anything else is a gap,
 * which is read from the history. Positions of another epoch are never compared: they mean another history, so a gap.
 */
export class Sequencer {
  readonly #room: SequencerRoom;
  #last = '';
  /** Messages that wait until a gap is closed, and at first until `start`; undefined while there is no gap. */
  #waiting: Stored[] | undefined = [];
  #overflowed = false;
  #filling: Promise<void> | undefined;
  /** What the members were last told about the open gap. */
  #told: Missing | undefined;

  constructor(room: SequencerRoom) {
    this.#room = room;
  }

  /** The position of the last message delivered. */
  get position(): string {
    return this.#last;
  }

  get started(): boolean {
    return this.#last !== '';
  }

  /**
   * Messages may have been missed; `position` is the newest of the room, if known. Must not be called before `start`.
   */
  expect(position: string | undefined): void {
    // An earlier position is examined, too: the history may have gone back (docs/protocol.md, "Positions").
    if (position === this.#last && this.#waiting === undefined) return;
    this.#waiting ??= [];
    this.#filling ??= this.#fill();
  }

  /** Counts everything up to `position` as delivered, and sorts in what has arrived since. */
  start(position: string): void {
    this.#last = position;
    if (!this.#sortIn()) this.#filling ??= this.#fill();
  }

  /** Takes what a subscription or a read of the history brought. */
  accept(stored: Stored): void {
    if (this.#waiting === undefined) {
      if (this.#take(stored)) return;
      this.#waiting = [];
    }
    if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(stored);
    else this.#overflowed = true;
    if (this.#last !== '') this.#filling ??= this.#fill();
  }

  /** Whether an accepted message waits until a gap is closed. */
  holds(id: string): boolean {
    return this.started && this.#indexOf(id) !== -1;
  }

  /** Whether it was delivered. If the gap before it cannot be closed now, it is dropped and the history brings it. */
  async delivered(id: string): Promise<boolean> {
    // Not while a read is in progress: that counts the messages that arrived before it.
    while (this.#filling !== undefined) await this.#filling;
    const at = this.#indexOf(id);
    if (at !== -1) this.#waiting?.splice(at, 1);
    return at === -1;
  }

  #indexOf(id: string): number {
    return this.#waiting?.findIndex((stored) => stored.id === id) ?? -1;
  }

  /** Resolves with true once no gap is open, or with false if a gap cannot be closed now. */
  async settled(): Promise<boolean> {
    while (this.#filling !== undefined) await this.#filling;
    return this.#waiting === undefined;
  }

  /** Delivers the next message, or drops an old one; returns false for a gap. */
  #take(stored: Stored): boolean {
    if (stored.prev === this.#last) {
      this.#last = stored.id;
      this.#room.deliver(stored);
      return true;
    }
    return isAtOrBefore(stored.id, this.#last);
  }

  /**
   * Takes the waiting messages up to the next gap; returns true if there was no gap. The first `known` messages had
   * arrived before the whole history was read: if one of them does not fit, the history dropped it, and that is no gap.
   */
  #sortIn(known = 0): boolean {
    const waiting = this.#waiting ?? [];
    const gap = waiting.findIndex((stored, index) => !this.#take(stored) && index >= known);
    this.#waiting = gap === -1 ? [] : waiting.slice(gap);
    if (gap !== -1 || this.#overflowed) return false;
    this.#waiting = undefined;
    this.#filling = undefined;
    this.#told = undefined;
    return true;
  }

  async #fill(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const fate = await this.#closeGap();
      if (fate === 'unavailable') this.#filling = undefined;
      if (fate !== 'again') return;
      await this.#room.pause(attempt);
    }
  }

  /** Reads from the last message on until nothing is missing. */
  async #closeGap(): Promise<Attempt> {
    for (;;) {
      // What was dropped until now is in the history that is read next.
      this.#overflowed = false;
      const arrived = this.#waiting?.length ?? 0;
      let page: Page;
      try {
        page = await this.#readOn();
      } catch (error) {
        return isUnavailable(error) ? 'unavailable' : 'again';
      }
      this.#deliverPage(page);
      if (page.more) continue;
      if (this.#sortIn(arrived)) return 'closed';
    }
  }

  /** Reads a page; also all following pages, if the members must first be told how many messages follow. */
  async #readOn(): Promise<Page> {
    let page = await this.#room.readAfter(this.#last);
    while (page.more && this.#isNews(page)) {
      const next = await this.#room.readAfter(page.position);
      // Messages were lost while these were read: the members are told that later, before the messages that are left.
      if (next.missing !== undefined && next.missing !== page.missing) break;
      page = { ...next, messages: page.messages.concat(next.messages), missing: page.missing };
    }
    return page;
  }

  /** All positions before a loss have the loss behind them, so it is told once and not with every page. */
  #isNews({ missing }: Page): boolean {
    return missing !== undefined && !(missing === 'history_lost' && this.#told === missing);
  }

  #deliverPage(page: Page): void {
    if (page.missing !== undefined && this.#isNews(page)) {
      this.#told = page.missing;
      this.#room.lost(page.missing, page.messages.length);
    }
    for (const stored of page.messages) {
      this.#last = stored.id;
      this.#room.deliver(stored);
    }
    this.#last = page.position;
  }
}

/** Positions of two epochs cannot be compared: false. */
export function isAtOrBefore(id: string, last: string): boolean {
  if (id === last) return true;
  const a = parsePosition(id);
  const b = parsePosition(last);
  return a !== undefined && b !== undefined && a.epoch === b.epoch && comparePositions(a, b) < 0;
}
