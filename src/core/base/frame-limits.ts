import { Allowance } from './allowance.ts';

/** A client that sends so many unreadable frames in a row is not a client of this protocol. */
const MOST_UNREADABLE = 10;

/** What one connection may send: how many frames, and how many that cannot be read. */
export class FrameLimits {
  /** Created with the first frame, if frames are limited. */
  #allowance: Allowance | undefined;
  #unreadable = 0;

  /**
   * Takes one frame of the `perSecond` (0: no limit) that the connection may send. Returns 0, or the milliseconds after
   * which the client may send again. `elapsed` is `Clock.elapsed`.
   */
  take(perSecond: number, elapsed: number): number {
    if (perSecond === 0) return 0;
    this.#allowance ??= new Allowance(perSecond, elapsed);
    return this.#allowance.take(elapsed);
  }

  /** Whether the client ignored the limit for so long that the pod closes the connection. */
  get isAbused(): boolean {
    return this.#allowance?.isAbused ?? false;
  }

  /** A frame could be read. */
  readable(): void {
    this.#unreadable = 0;
  }

  /** A frame could not be read; returns true if there were so many in a row that the pod closes the connection. */
  unreadable(): boolean {
    this.#unreadable += 1;
    return this.#unreadable >= MOST_UNREADABLE;
  }
}
