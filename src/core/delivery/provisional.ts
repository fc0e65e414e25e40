import type { Delivery } from './delivery.ts';
import { isAtOrBefore } from './sequencer.ts';

/** For so many milliseconds a message that was stored may still reach a slow member, from its outbox or the history. */
const REMEMBERED_MS = 300_000;

interface Entry {
  /** Undefined once the history has the message and brings it to new members. */
  delivery: Delivery | undefined;
  /** The moment at which the history had stored it, or would never store it; undefined until then. */
  landedAt: number | undefined;
  /** The same by `Clock.elapsed`. */
  landedElapsed: number;
  /** From this moment on new members got it by a page of the history, before the room itself received it from there. */
  readAt?: number;
  /** Its position, if the history has it and has not brought it yet. */
  storedAs?: string;
}

/**
 * The messages of a room that its members on this pod got before the history stored them, by provisional id. Moments
 * are counted, to know which members have such a message: those that listened while it was not stored yet.
 */
export class Provisional {
  readonly #entries = new Map<string, Entry>();
  readonly #elapsed: () => number;
  #moment = 1;

  /** `elapsed` is `Clock.elapsed`. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  /** Grows with every message that the history stores. */
  get moment(): number {
    return this.#moment;
  }

  /** Returns false if the message is known already. */
  add(id: string, delivery: Delivery): boolean {
    if (this.#entries.has(id)) return false;
    this.#entries.set(id, { delivery, landedAt: undefined, landedElapsed: 0 });
    return true;
  }

  /** Whether a member that listens since the moment `since` was given the message. */
  wasGiven(id: string, since: number): boolean {
    const entry = this.#entries.get(id);
    if (entry === undefined) return false;
    const until = entry.readAt ?? entry.landedAt;
    return until === undefined || until > since;
  }

  /** A page of the history gives it to a member that joins now, and not the room. */
  read(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.landedAt === undefined) entry.readAt ??= this.#moment += 1;
  }

  /**
   * The history has stored the message, or never will. Returns true if the members have it. False if it landed before:
   * a failover dropped it, it was published again, and members that joined meanwhile lack it.
   */
  land(id: string): boolean {
    const entry = this.#entries.get(id);
    return entry !== undefined && this.#land(entry);
  }

  /** The history has it at this position and has not brought it yet. */
  expect(id: string, storedAs: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.storedAs = storedAs;
  }

  /** The messages that the history does not have up to `position`, oldest first. */
  pending(position: string): ReadonlyMap<string, Delivery> {
    const pending = new Map<string, Delivery>();
    for (const [id, entry] of this.#entries) {
      // The history was to bring it and did not: the room has passed its position.
      if (entry.storedAs !== undefined && isAtOrBefore(entry.storedAs, position)) this.#land(entry);
      if (entry.delivery !== undefined) pending.set(id, entry.delivery);
    }
    return pending;
  }

  /** Forgets messages stored so long ago that no live member can be given them again. */
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
