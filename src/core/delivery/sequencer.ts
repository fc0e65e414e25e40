import { comparePositions, parsePosition } from '../../protocol/position.ts';
import type { Page, Stored } from '../ports/broker.ts';
import type { Missing } from '../../protocol/event.ts';
import { isUnavailable } from '../base/refused.ts';

/** Arrivals that are kept while a gap is read; beyond that they are dropped and read from the history themselves. */
const WAITING_LIMIT = 1_000;

/** What the sequencer needs of its room. */
export interface SequencerRoom {
  /**
   * Reads the history after a position. May raise: `Refused` where it cannot be had at present, then `expect` will be
   * called; after anything else it is tried again.
   */
  readAfter(position: string): Promise<Page>;
  /** Hands a message to the local members; called once for each message, in the room's order. */
  deliver(stored: Stored): void;
  /** Messages are gone for good; the `replayed` ones that are kept follow, all of them in this turn. */
  lost(missing: Missing, replayed: number): void;
  /** Resolves after a pause, longer with each failed attempt in a row. */
  pause(attempt: number): Promise<void>;
}

/** What has become of an attempt to close a gap; `away`: it will be begun anew by `expect`. */
type Attempt = 'closed' | 'again' | 'away';

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
  /** What the members were last told to be missing, while the gap is open. */
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

  /** The room's newest position, where messages may have been missed; undefined: not known. To be called once started. */
  expect(position: string | undefined): void {
    // An earlier one too is looked into: history may have gone back (docs/protocol.md, "Positions").
    if (position === this.#last && this.#waiting === undefined) return;
    this.#waiting ??= [];
    this.#filling ??= this.#fill();
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

  /** Whether a message that was accepted waits until a gap is closed. */
  holds(id: string): boolean {
    return this.started && this.#indexOf(id) !== -1;
  }

  /** Whether it was delivered; if the gap before it cannot be closed at present it is dropped and history brings it. */
  async delivered(id: string): Promise<boolean> {
    // Nothing is taken out while a read is under way: that counts what had arrived before.
    while (this.#filling !== undefined) await this.#filling;
    const at = this.#indexOf(id);
    if (at !== -1) this.#waiting?.splice(at, 1);
    return at === -1;
  }

  #indexOf(id: string): number {
    return this.#waiting?.findIndex((stored) => stored.id === id) ?? -1;
  }

  /** Resolves once no gap is open, or, to false, once it is known that one cannot be closed at present. */
  async settled(): Promise<boolean> {
    while (this.#filling !== undefined) await this.#filling;
    return this.#waiting === undefined;
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

  /**
   * Takes what waits up to the next gap; true, and nothing waits any more, if there is none. The first `known` had
   * arrived before all of the history was read: what does not fit in is not part of it (any more) and no gap.
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
      if (fate === 'away') this.#filling = undefined;
      if (fate !== 'again') return;
      await this.#room.pause(attempt);
    }
  }

  /** Reads on from the last message until nothing is missing. */
  async #closeGap(): Promise<Attempt> {
    for (;;) {
      // What was dropped until now is in the history that is about to be read.
      this.#overflowed = false;
      const arrived = this.#waiting?.length ?? 0;
      let page: Page;
      try {
        page = await this.#readOn();
      } catch (error) {
        return isUnavailable(error) ? 'away' : 'again';
      }
      this.#deliverPage(page);
      if (page.more) continue;
      if (this.#sortIn(arrived)) return 'closed';
    }
  }

  /** A page; all that follow, too, where the members have to be told how many there are before they are given any. */
  async #readOn(): Promise<Page> {
    let page = await this.#room.readAfter(this.#last);
    while (page.more && this.#isNews(page)) {
      const next = await this.#room.readAfter(page.position);
      // Messages have gone while these were read: that is said where it belongs, before those that are left.
      if (next.missing !== undefined && next.missing !== page.missing) break;
      page = { ...next, messages: page.messages.concat(next.messages), missing: page.missing };
    }
    return page;
  }

  /** Each position before a loss has that loss behind it: it is said once, and not with every page. */
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

/** False for positions of two epochs: those cannot be compared. */
export function isAtOrBefore(id: string, last: string): boolean {
  if (id === last) return true;
  const a = parsePosition(id);
  const b = parsePosition(last);
  return a !== undefined && b !== undefined && a.epoch === b.epoch && comparePositions(a, b) < 0;
}
