import { comparePositions, parsePosition } from '../protocol/position.ts';
import type { Page, Stored } from './ports/broker.ts';
import type { Missing } from '../protocol/event.ts';

/** Arrivals that are kept while a gap is read; beyond that they are dropped and read from the history themselves. */
const WAITING_LIMIT = 1_000;

/** What the sequencer needs of its room. */
export interface SequencerRoom {
  /** Reads the history after a position; may fail, then it is tried again. */
  readAfter(position: string): Promise<Page>;
  /** Hands a message to the local members; called once for each message, in the room's order. */
  deliver(stored: Stored): void;
  /** Messages are gone for good; the `replayed` ones that are kept follow. */
  lost(missing: Missing, replayed: number): void;
  /** Resolves after a pause, longer with each failed attempt in a row. */
  pause(attempt: number): Promise<void>;
}

/**
 * Puts what a subscription brings into the one order of the room: a message whose `prev` is the last one delivered is
 * delivered; one at or before it is an echo or a duplicate and dropped; anything else is a gap, which is read from
 * the history. Positions of another epoch are never compared: they mean another history, and so a gap.
 */
export class Sequencer {
  readonly #room: SequencerRoom;
  #last = '';
  /** Arrivals that wait until a gap is closed, and at first until `start`; undefined while there is no gap. */
  #waiting: Stored[] | undefined = [];
  #overflowed = false;
  #filling: Promise<void> | undefined;

  constructor(room: SequencerRoom) {
    this.#room = room;
  }

  /** The position of the last message delivered. */
  get position(): string {
    return this.#last;
  }

  /** Everything up to `position` counts as delivered; what has arrived since is sorted in. */
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

  /** Resolves once no gap is open. */
  async settled(): Promise<void> {
    while (this.#filling !== undefined) await this.#filling;
  }

  /** Delivers the next message, drops an old one; false for a gap. */
  #take(stored: Stored): boolean {
    if (stored.prev === this.#last) {
      this.#last = stored.id;
      this.#room.deliver(stored);
      return true;
    }
    return isAtOrBefore(stored.id, this.#last);
  }

  /** Takes what waits up to the next gap; true, and nothing waits any more, if there is none. */
  #sortIn(): boolean {
    const waiting = this.#waiting ?? [];
    const gap = waiting.findIndex((stored) => !this.#take(stored));
    this.#waiting = gap === -1 ? [] : waiting.slice(gap);
    if (gap !== -1 || this.#overflowed) return false;
    this.#waiting = undefined;
    this.#filling = undefined;
    return true;
  }

  async #fill(): Promise<void> {
    for (let attempt = 1; !(await this.#closeGap()); attempt += 1) {
      await this.#room.pause(attempt);
    }
  }

  /** Reads on from the last message as long as that brings anything; true once nothing is missing. */
  async #closeGap(): Promise<boolean> {
    for (;;) {
      const before = this.#last;
      // What was dropped until now is in the history that is about to be read.
      this.#overflowed = false;
      const page = await this.#room.readAfter(before).catch(() => undefined);
      if (page === undefined) return false;
      this.#deliverPage(page);
      if (!page.more && this.#sortIn()) return true;
      if (this.#last === before) return false;
    }
  }

  #deliverPage(page: Page): void {
    if (page.missing !== undefined) this.#room.lost(page.missing, page.messages.length);
    for (const stored of page.messages) {
      this.#last = stored.id;
      this.#room.deliver(stored);
    }
    this.#last = page.position;
  }
}

/** False for positions of two epochs: those cannot be compared. */
export function isAtOrBefore(id: string, last: string): boolean {
  if (id === last) return true;
  const a = parsePosition(id);
  const b = parsePosition(last);
  return a !== undefined && b !== undefined && a.epoch === b.epoch && comparePositions(a, b) < 0;
}
