import type { Delivery } from './delivery.ts';
import { isAtOrBefore } from './sequencer.ts';

/** For so long a message that has landed may still be in the outbox of a member that reads slowly, or behind it. */
const REMEMBERED_MS = 300_000;

interface Entry {
  /** Undefined once it has landed: history brings it to whoever comes. */
  delivery: Delivery | undefined;
  /** The moment at which history had it, or it was known that history never will; undefined: not yet. */
  landedAt: number | undefined;
  /** The same by the clock that only goes forward, in ms. */
  landedElapsed: number;
  /** From which moment on whoever came had it from the history, although it has not come from there to the room yet. */
  readAt?: number;
  /** Where history has it, although it has not come from there yet. */
  storedAs?: string;
}

/**
 * A room's messages that its members on this pod had before history did, by their provisional ids. Moments are counted,
 * so that it can be told who has such a message: whoever heard the room while it was not yet in the history.
 */
export class Provisional {
  readonly #entries = new Map<string, Entry>();
  readonly #elapsed: () => number;
  #moment = 1;

  /** `elapsed`: milliseconds by the clock that only goes forward. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Grows with every message that lands. */
  get moment(): number {
    return this.#moment;
  }

  /** False: it is known already. */
  add(id: string, delivery: Delivery): boolean {
    if (this.#entries.has(id)) return false;
    this.#entries.set(id, { delivery, landedAt: undefined, landedElapsed: 0 });
    return true;
  }

  /** Whether somebody who has heard the room since a moment was given it. */
  wasGiven(id: string, since: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const until = entry.readAt ?? entry.landedAt;
    return until === undefined || until > since;
  }

  /** Somebody who comes now is given it by a page of the history, and not as those were who are there already. */
  read(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.landedAt === undefined) entry.readAt ??= this.#moment += 1;
  }

  /**
   * History has it, or never will; true if the members have it. Where it has landed before, a failover has dropped it and
   * it was published anew: those who came meanwhile do not have it.
   */
  land(id: string): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && this.#land(entry);
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
      if (entry.delivery !== undefined) pending.set(id, entry.delivery);
    }
    return pending;
  }

  /** Forgets what landed so long ago that no member that is up to date can be given it again. */
  forgetOld(): void {
    const before = this.#elapsed() - REMEMBERED_MS;
    for (const [id, { landedAt, landedElapsed }] of this.#entries) {
      if (landedAt === undefined || landedElapsed > before) return;
      this.#entries.delete(id);
    }
  }

  #land(entry: Entry): boolean {
    if (entry.landedAt !== undefined) return false;
    entry.landedAt = this.#moment += 1;
    entry.landedElapsed = this.#elapsed();
    entry.delivery = undefined;
    return true;
  }
}
