import type { Delivery } from './delivery.ts';
import { isAtOrBefore } from './sequencer.ts';

interface Entry {
  readonly delivery: Delivery;
  /** The moment at which history had it, or it was known that history never will; undefined: not yet. */
  landedAt: number | undefined;
  /** Where history has it, although it has not come from there yet. */
  storedAs?: string;
}

/**
 * A room's messages that its members on this pod had before history did, by their provisional ids. Moments are counted,
 * so that it can be told who has such a message: whoever heard the room while it was not yet in the history.
 */
export class Provisional {
  readonly #entries = new Map<string, Entry>();
  #moment = 1;

  /** Grows with every message that lands. */
  get moment(): number {
    return this.#moment;
  }

  /** False: it is known already. */
  add(id: string, delivery: Delivery): boolean {
    if (this.#entries.has(id)) return false;
    this.#entries.set(id, { delivery, landedAt: undefined });
    return true;
  }

  /** Whether somebody who has heard the room since a moment was given it. */
  wasGiven(id: string, since: number): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && (entry.landedAt === undefined || entry.landedAt > since);
  }

  /** History has it, or never will; true if the members have it. */
  land(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#land(entry);
    return entry !== undefined;
  }

  /** History has it at this position, and is yet to bring it. */
  expect(id: string, storedAs: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.storedAs = storedAs;
  }

  /** Those that history does not have up to this position, oldest first. */
  pending(position: string): ReadonlyMap<string, Delivery> {
    const pending = new Map<string, Delivery>();
    for (const [id, entry] of this.#entries) {
      // It was to come from the history and did not: the room has gone past it.
      if (entry.storedAs !== undefined && isAtOrBefore(entry.storedAs, position)) this.#land(entry);
      if (entry.landedAt === undefined) pending.set(id, entry.delivery);
    }
    return pending;
  }

  forgetLanded(): void {
    for (const [id, { landedAt }] of this.#entries) if (landedAt !== undefined) this.#entries.delete(id);
  }

  #land(entry: Entry): void {
    entry.landedAt ??= this.#moment += 1;
  }
}
