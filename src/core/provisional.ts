import type { Delivery } from './delivery.ts';

interface Entry {
  readonly delivery: Delivery;
  /** History has it by now. */
  landed: boolean;
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

  /** Those that history does not have yet, oldest first. */
  *pending(): Iterable<[string, Delivery]> {
    for (const [id, { delivery, landed }] of this.#entries) if (!landed) yield [id, delivery];
  }

  forgetLanded(): void {
    for (const [id, { landed }] of this.#entries) if (landed) this.#entries.delete(id);
  }
}
