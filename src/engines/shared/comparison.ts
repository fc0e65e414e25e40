import { Unavailable } from './unavailable.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';

/** How often the rooms in use are looked at although nothing seems to be missing; that also keeps them remembered. */
const RENEW_MS = 1_800_000;
/** Rooms looked at in one step. */
const ROOMS = 200;

export interface ComparisonOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** In use on this pod. */
  readonly rooms: ReadonlySet<string>;
  /** Looks at the history as a whole, before its rooms. Raises Unavailable. */
  readonly verify?: () => Promise<void>;
  /** The newest position of each; undefined where nothing is known of it. Raises Unavailable. */
  readonly newestOf: (
    rooms: readonly string[],
  ) => Promise<Iterable<readonly [room: string, position: string | undefined]>>;
  /** Told of each. */
  readonly newest: (room: string, position: string | undefined) => void;
}

/** Holds the rooms of this pod against their histories, whenever something may have been missed. */
export class Comparison {
  readonly #options: ComparisonOptions;
  #running = false;
  /** Which rooms have to be looked at. */
  #due: ((room: string) => boolean)[] = [];

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.clock.after(RENEW_MS, () => {
      this.begin(() => true);
      this.start();
    });
  }

  /** Messages of these rooms may have been missed. Where their history is away it has to be begun again. */
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
