import type { Backbone } from './connection/backbone.ts';
import { GRANT_MS, type Grants } from '../../core/ports/grants.ts';

/** One key for each grant, which Redis lets expire. */
export class RedisGrants implements Grants {
  readonly #backbone: Backbone;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
  }

  async give(userId: string, room: string): Promise<void> {
    const { keys, shared } = this.#backbone;
    await shared.command((client) => client.set(keys.grant(userId, room), '1', 'PX', GRANT_MS));
  }

  async takeBack(userId: string, room: string): Promise<void> {
    const { keys, shared } = this.#backbone;
    await shared.command((client) => client.del(keys.grant(userId, room)));
  }

  async leftMs(userId: string, room: string): Promise<number> {
    const { keys, shared } = this.#backbone;
    // Negative: the key does not exist.
    return Math.max(0, await shared.command((client) => client.pttl(keys.grant(userId, room))));
  }
}
