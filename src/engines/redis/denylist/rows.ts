import { withKeyTypes, type TypedKeys } from '../connection/key-types.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { Script } from '../connection/script.ts';

/** Runs scripts on the keys of the denylist. */
export class DenialRows {
  readonly #backbone: Backbone;
  readonly #typed: TypedKeys;

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
    const { keys } = backbone;
    this.#typed = [
      [keys.denials('entries'), 'hash'],
      [keys.denials('removals'), 'hash'],
      [keys.denials('order'), 'zset'],
      [keys.denials('facts'), 'hash'],
    ];
  }

  /** Raises Unavailable. */
  call(script: Script, args: readonly (string | number)[]): Promise<unknown> {
    const { shared, log } = this.#backbone;
    const names = this.#typed.map(([key]) => key);
    const task = (): Promise<unknown> => shared.call(script, names, args);
    return withKeyTypes({ shard: shared, log, typed: this.#typed }, task);
  }
}
