import type { Keys } from './keys.ts';
import type { LeaseBook } from '../../shared/lease.ts';
import type { Placement } from './placement.ts';
import { scriptsIn } from './script.ts';
import type { Shard } from './shard.ts';

export const RENEW = scriptsIn('connection')('renew');
/** A pod that was given a dead one to reap has this long before another pod is given it. */
const REAP_MS = 10_000;

export interface RedisLeasesOptions {
  readonly placement: Placement;
  readonly keys: Keys;
  readonly leaseMs: number;
}

/** The leases of all pods, in Redis. */
export class RedisLeases implements LeaseBook {
  readonly #options: RedisLeasesOptions;

  constructor(options: RedisLeasesOptions) {
    this.#options = options;
  }

  get up(): boolean {
    return this.#shard.up;
  }

  whenUp(task: () => void): void {
    this.#options.placement.whenReconnected(task);
  }

  async renew(
    name: string,
    takes: boolean,
    reaps: boolean,
  ): Promise<{ alive: boolean; dead: readonly string[] }> {
    const { leaseMs } = this.#options;
    const [alive, ...dead] = await this.#renew(leaseMs, name, takes ? '1' : '', reaps ? REAP_MS : '');
    return { alive: alive === 1, dead: dead.map(String) };
  }

  async end(name: string, ms: number): Promise<void> {
    await this.#renew(ms, name, '', '');
  }

  async reaped(name: string): Promise<void> {
    await this.#shard.command((client) => client.zrem(this.#options.keys.tombstones, name));
  }

  async #renew(...args: (string | number)[]): Promise<(string | number)[]> {
    const { keys } = this.#options;
    return (await this.#shard.call(RENEW, [keys.pods, keys.tombstones], args)) as (string | number)[];
  }

  get #shard(): Shard {
    return this.#options.placement.shared;
  }
}
