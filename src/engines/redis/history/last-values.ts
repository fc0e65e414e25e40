import type { Backbone } from '../connection/backbone.ts';
import type { Fleeting, LastValue, LastValueSlot } from '../../../core/ports/broker.ts';

/** `<ms> <id> <provisional id, or nothing>`, then the body on a line of its own. append.lua writes the same. */
const VALUE = /^(\d+) (\S+) (\S*)\n([^]*)$/;

/** The values of rooms. append.lua sets that of a room with a history. All methods raise Unavailable. */
export class RedisLastValues {
  readonly #backbone: Backbone;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
  }

  /** For a message that no history stores. */
  async set(room: string, { slot, ttlMs }: LastValueSlot, { id, body }: Fleeting): Promise<void> {
    const { keys, placement } = this.#backbone;
    const shard = placement.shardOfRoom(room);
    const key = keys.lastValue(room, slot);
    const text = `${Math.floor(shard.now())} ${id} \n${body}`;
    await shard.command((client) => client.set(key, text, 'PX', ttlMs), [key]);
  }

  async get(room: string, { slot, ttlMs }: LastValueSlot): Promise<LastValue | undefined> {
    const { keys, placement } = this.#backbone;
    const shard = placement.shardOfRoom(room);
    const key = keys.lastValue(room, slot);
    const text = await shard.command((client) => client.get(key), [key]);
    const [, at = '', id = '', provisionalId, body = ''] = VALUE.exec(text ?? '') ?? [];
    if (id === '' || Number(at) + ttlMs <= shard.now()) return undefined;
    return { id, body, ...(provisionalId && { provisionalId }) };
  }
}
