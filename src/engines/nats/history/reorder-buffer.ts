import type { Clock } from '../../../core/ports/clock.ts';
import type { Republished } from './history.ts';

/** A message that has not come after so long was lost on the way. */
const LATE_MS = 50;

export interface ReorderBufferOptions {
  readonly clock: Clock;
  /** The room's newest sequence that this pod knows, 0 for an empty room; undefined: not known yet. */
  readonly newest: (room: string) => number | undefined;
  readonly pass: (room: string, arrival: Republished) => void;
}

/**
 * Restores the order of a room's messages. When two pods publish in a room at once, servers before 2.10 may publish the
 * messages again in another order than they stored them. A message that comes too early waits here for a moment.
 */
export class ReorderBuffer {
  readonly #options: ReorderBufferOptions;
  /** By room, and then by the sequence of the message before. */
  readonly #early = new Map<string, Map<number, Republished>>();

  constructor(options: ReorderBufferOptions) {
    this.#options = options;
  }

  take(room: string, arrival: Republished): void {
    const newest = this.#options.newest(room);
    const isEarly = newest !== undefined && arrival.lastSeq > newest;
    if (isEarly) {
      this.#hold(room, arrival);
      return;
    }
    let next: Republished | undefined = arrival;
    while (next !== undefined) {
      this.#options.pass(room, next);
      next = this.#release(room, next.seq);
    }
  }

  /** This pod no longer subscribes the room. */
  forget(room: string): void {
    this.#early.delete(room);
  }

  #hold(room: string, arrival: Republished): void {
    const early = this.#early.get(room);
    if (early !== undefined) {
      early.set(arrival.lastSeq, arrival);
      return;
    }
    const held = new Map([[arrival.lastSeq, arrival]]);
    this.#early.set(room, held);
    this.#options.clock.after(LATE_MS, () => {
      if (this.#early.get(room) !== held) return;
      this.#early.delete(room);
      const all = [...held.values()].toSorted((one, other) => one.seq - other.seq);
      for (const one of all) this.#options.pass(room, one);
    });
  }

  #release(room: string, seq: number): Republished | undefined {
    const early = this.#early.get(room);
    const next = early?.get(seq);
    early?.delete(seq);
    if (early?.size === 0) this.#early.delete(room);
    return next;
  }
}
