import { Unavailable } from './unavailable.ts';
import { every } from '../../core/base/every.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';

/**
 * All rooms in use are compared so often although nothing seems to be missing; that also keeps their positions from
 * expiring.
 */
const EVERY_MS = 1_800_000;
/** Rooms compared in one step. */
const ROOMS = 200;

export interface ComparisonOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The rooms in use on this pod. */
  readonly rooms: ReadonlySet<string>;
  /** Checks the history as a whole, before its rooms. Raises Unavailable. */
  readonly verify?: () => Promise<void>;
  /** The newest position of each room; undefined if it is not known. Raises Unavailable. */
  readonly newestOf: (
    rooms: readonly string[],
  ) => Promise<Iterable<readonly [room: string, position: string | undefined]>>;
  /** Called with each answer of `newestOf`. */
  readonly newest: (room: string, position: string | undefined) => void;
}

/** Compares the rooms of this pod with their histories whenever the pod may have missed messages. */
export class Comparison {
  readonly #options: ComparisonOptions;
  #running = false;
  /** Which rooms are to be compared. */
  #due: ((room: string) => boolean)[] = [];

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  start(): void {
    every(this.#options.clock, EVERY_MS, () => this.begin(() => true));
  }

  /** The pod may have missed messages of these rooms. If their history is unavailable, call it again later. */
  begin(isDue: (room: string) => boolean): void {
    this.#due.push(isDue);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { log, rooms, verify } = this.#options;
    this.#running = true;
    while (this.#due.length > 0) {
      const due = this.#due;
      this.#due = [];
      try {
        await verify?.();
        await this.#compare(Array.from(rooms).filter((room) => due.some((isDue) => isDue(room))));
      } catch (error) {
        if (error instanceof Unavailable) continue;
        log.error({ err: error }, 'rooms could not be compared with their history');
      }
    }
    this.#running = false;
  }

  async #compare(due: readonly string[]): Promise<void> {
    const { newest, newestOf, rooms } = this.#options;
    for (let at = 0; at < due.length; at += ROOMS) {
      for (const [room, position] of await newestOf(due.slice(at, at + ROOMS))) {
        if (rooms.has(room)) newest(room, position);
      }
    }
  }
}
