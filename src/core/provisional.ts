import type { Delivery } from './delivery.ts';
import { isAtOrBefore } from './sequencer.ts';

interface Entry {
  readonly delivery: Delivery;
  /** History has it by now. */
  landed: boolean;
  /** Where history has it, although it has not come from there yet. */
  storedAs?: string;
}

/** A room's messages that its members on this pod had before history did, by their provisional ids. */
export class Provisional {
  readonly #entries = new Map<string, Entry>();

  /** False: it is known already. */
  add(id: string, delivery: Delivery): boolean {
    if (this.#entries.has(id)) return false;
    this.#entries.set(id, { delivery, landed: false });
    return true;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** History has it; true if the members do too. */
  land(id: string): boolean {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.landed = true;
    return entry !== undefined;
  }

  /** History has it at this position, and is yet to bring it. */
  expect(id: string, storedAs: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.storedAs = storedAs;
  }

  /** Those that history does not have up to this position, oldest first. */
  *pending(position: string): Iterable<[string, Delivery]> {
    for (const [id, { delivery, landed, storedAs }] of this.#entries) {
      const isPast = landed || (storedAs !== undefined && isAtOrBefore(storedAs, position));
      if (!isPast) yield [id, delivery];
    }
  }

  forgetLanded(): void {
    for (const [id, { landed }] of this.#entries) if (landed) this.#entries.delete(id);
  }
}
