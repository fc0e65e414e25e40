import { Surplus, youngest } from './surplus.ts';
import type { Load } from '../ports/directory.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from '../delivery/connection.ts';
import type { PodParts } from './parts.ts';
import { every } from '../base/every.ts';
import { isUnavailable } from '../base/refused.ts';
import { sendAway } from './departure.ts';

const TICK_MS = 1_000;
/** By then whatever balances connections has noticed a pod that is ready, and sends it some. */
const SETTLE_MS = 10_000;

/**
 * Gives connections to the other pods while this one has many more than they: after a scale-out new pods fill up.
 * Clients are sent away one by one as in a drain, the oldest first.
 */
export class Rebalance {
  readonly #pod: PodParts;
  readonly #watermarks: { readonly exceeded: boolean };
  readonly #surplus: Surplus;
  /** Who is given away and may be here still: a close takes some seconds where the client is slow to answer it. */
  readonly #leaving = new Set<Connection>();
  /** From when on this pod gets its share, by `Clock.elapsed`. */
  #since = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;
  /** Connections that were given away, since the start. */
  moved = 0;

  constructor(pod: PodParts, watermarks: { readonly exceeded: boolean }) {
    this.#pod = pod;
    this.#watermarks = watermarks;
    this.#surplus = new Surplus(pod.limits);
  }

  start(): void {
    this.#since = this.#pod.clock.elapsed() + SETTLE_MS;
    this.#cancel = every(this.#pod.clock, TICK_MS, () => this.#tick().catch(this.#failed));
  }

  /** This pod is emptied: the others no longer count on it. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#pod.directory.loads(undefined).catch(this.#failed);
  }

  async #tick(): Promise<void> {
    const { clock, directory, hub } = this.#pod;
    for (const one of this.#leaving) if (hub.connection(one.connectionId) !== one) this.#leaving.delete(one);
    // Who leaves does not count: others would be given away in their stead.
    const own: Load = { connections: hub.connectionCount - this.#leaving.size, since: this.#since };
    const others = await directory.loads(this.#takesMore ? own : undefined);
    if (this.#stopped) return;
    const counts = others.map(({ connections }) => connections);
    const before = youngest([own, ...others]);
    // Whoever is sent away sooner may come back, and cannot be sent again.
    if (clock.elapsed() < before) return;
    const count = this.#surplus.next(own.connections, counts);
    if (count > 0) this.#giveAway(count, before);
  }

  /** Others would give it what it must refuse. */
  get #takesMore(): boolean {
    const { hub, limits } = this.#pod;
    return hub.connectionCount < limits.maxConnections && !this.#watermarks.exceeded;
  }

  #giveAway(count: number, before: number): void {
    const { clock, hub } = this.#pod;
    const chosen: Connection[] = [];
    // In the order in which they came.
    for (const connection of hub.connections()) {
      if (chosen.length === count || connection.openedAt >= before) break;
      if (!this.#leaves(connection)) chosen.push(connection);
    }
    for (const [index, connection] of chosen.entries()) {
      this.#leaving.add(connection);
      clock.after((index * TICK_MS) / chosen.length, () => {
        this.#giveOneAway(connection).catch(this.#failed);
      });
    }
  }

  #leaves(connection: Connection): boolean {
    return connection.closeCode !== undefined || this.#leaving.has(connection);
  }

  async #giveOneAway(connection: Connection): Promise<void> {
    // The drain sends it away at its own time.
    if (this.#stopped) return;
    await sendAway(this.#pod, connection, () => 0);
    // It may have ended otherwise meanwhile.
    if (connection.closeCode === CLOSE.drain.code) this.moved += 1;
  }

  readonly #failed = (error: unknown): void => {
    // Without Redis nobody knows of the others, and nothing is moved.
    if (isUnavailable(error)) return;
    this.#pod.log.error({ err: error }, 'connections could not be rebalanced');
  };
}
