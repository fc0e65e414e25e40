import type { Clock } from '../../../core/ports/clock.ts';
import type { CommandConnection } from './command-connection.ts';
import type { Keys } from './keys.ts';
import { scriptsIn } from './script.ts';

export const REGISTER_RUNS = scriptsIn('connection')('register-runs');
/** How often unchanged runs are registered again. */
const REGISTER_MS = 5_000;

export interface RunRegistryOptions {
  readonly keys: Keys;
  readonly clock: Clock;
  /** The master that has the slot of `keys.epoch`; undefined if none has. */
  readonly home: () => CommandConnection | undefined;
  readonly masters: () => readonly CommandConnection[];
}

/** Registers in a Cluster which runs its masters have, and learns the name of the data. */
export class RunRegistry {
  readonly #options: RunRegistryOptions;
  /** The runs that were last registered. */
  #registered = '';
  #registeredAt = Number.NEGATIVE_INFINITY;
  /** The name of the data; undefined until the server that stores it was available once. */
  data: string | undefined;

  constructor(options: RunRegistryOptions) {
    this.#options = options;
  }

  /** Raises Unavailable. */
  async register(): Promise<void> {
    const { clock, home, keys, masters } = this.#options;
    const server = home();
    if (!server?.up) return;
    const connections = masters();
    // Only if all are up: the script takes a run that is not named for ended.
    const runs = connections.every(({ up }) => up) ? connections.map(({ run }) => run).toSorted() : [];
    const all = runs.join(' ');
    const now = clock.elapsed();
    const isDue = all !== '' && (all !== this.#registered || now >= this.#registeredAt + REGISTER_MS);
    if (this.data !== undefined && !isDue) return;
    // Also if nothing has changed: that server may have lost its data, and then the data has another name.
    this.#registeredAt = now;
    const args = [server.now(), runs.length, ...runs, ...this.#registered.split(' ').filter(Boolean)];
    this.data = String(await server.call(REGISTER_RUNS, [keys.epoch], args));
    if (all !== '') this.#registered = all;
  }
}
