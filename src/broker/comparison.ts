import { Away } from '../redis/away.ts';
import type { Backbone } from '../redis/backbone.ts';
import type { RedisHistory } from './redis-history.ts';

/** How often the rooms in use are looked at although nothing seems to be missing; that also keeps them remembered. */
const RENEW_MS = 1_800_000;
/** Rooms looked at in one step. */
const ROOMS = 200;

export interface ComparisonOptions {
  readonly backbone: Backbone;
  readonly history: RedisHistory;
  /** In use on this pod. */
  readonly rooms: ReadonlySet<string>;
  /** Told the newest position of each. */
  readonly newest: (room: string, position: string | undefined) => void;
}

/** Holds the rooms of this pod against their histories, whenever something may have been missed. */
export class Comparison {
  readonly #options: ComparisonOptions;
  #running = false;
  #again = false;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    const { link, subscriptions } = options.backbone;
    // The later of the two begins it.
    link.whenUp(() => void (subscriptions.up && this.#begin()));
    subscriptions.whenUp(() => this.#begin());
  }

  start(): void {
    this.#options.backbone.clock.after(RENEW_MS, () => {
      this.#begin();
      this.start();
    });
  }

  #begin(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { backbone, history } = this.#options;
    this.#running = true;
    while (this.#again && backbone.link.up) {
      this.#again = false;
      try {
        await history.verify();
        await this.#compare();
      } catch (error) {
        if (error instanceof Away) continue;
        backbone.log.error({ err: error }, 'rooms could not be compared with their history');
      }
    }
    this.#running = false;
  }

  async #compare(): Promise<void> {
    const { history, newest, rooms } = this.#options;
    const all = Array.from(rooms);
    for (let at = 0; at < all.length; at += ROOMS) {
      const part = all.slice(at, at + ROOMS);
      for (const [index, position] of (await history.newest(part)).entries()) {
        const room = part[index] ?? '';
        if (rooms.has(room)) newest(room, position);
      }
    }
  }
}
