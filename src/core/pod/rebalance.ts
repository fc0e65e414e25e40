import { Surplus, youngest } from './surplus.ts';
import type { Load } from '../ports/directory.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from '../delivery/connection.ts';
import type { PodParts } from './parts.ts';
import { every } from '../base/every.ts';
import { isUnavailable } from '../base/refused.ts';
import { sendAway } from './departure.ts';

const TICK_MS = 1_000;
/** By then load balancers have noticed that a pod is ready, and send it connections. */
const SETTLE_MS = 10_000;

/**
 * Moves connections to the other pods while this pod has many more than they do, so that new pods fill up after a
 * scale-out. Clients are sent away one by one as in a drain, the oldest first.
 */
export class Rebalance {
  readonly #pod: PodParts;
  readonly #watermarks: { readonly exceeded: boolean };
  readonly #surplus: Surplus;
  /** Connections that are sent away and may still be open: a slow client takes seconds to answer a close. */
  readonly #leaving = new Set<Connection>();
  /** Since when this pod gets its share of new connections, by `Clock.elapsed`. */
  #since = 0;
  #cancel: () => void = () => undefined;
  #stopped = false;
  /** Connections moved since the start. */
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

  /** The pod drains: the other pods no longer count it. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#pod.directory.loads(undefined).catch(this.#failed);
  }

  async #tick(): Promise<void> {
    const { clock, directory, hub } = this.#pod;
    for (const one of this.#leaving) if (hub.connection(one.connectionId) !== one) this.#leaving.delete(one);
    // Connections that leave do not count, or others would be moved in their place.
    const own: Load = { connections: hub.connectionCount - this.#leaving.size, since: this.#since };
    const others = await directory.loads(this.#takesMore ? own : undefined);
    if (this.#stopped) return;
    const counts = others.map(({ connections }) => connections);
    const before = youngest([own, ...others]);
    // A client that is moved earlier may come back, and cannot be moved again.
    if (clock.elapsed() < before) return;
    const count = this.#surplus.next(own.connections, counts);
    if (count > 0) this.#moveAway(count, before);
  }

  /** Whether other pods may move connections here, or this pod would have to refuse them. */
  get #takesMore(): boolean {
    const { hub, limits } = this.#pod;
    return hub.connectionCount < limits.maxConnections && !this.#watermarks.exceeded;
  }

  #moveAway(count: number, before: number): void {
    const { clock, hub } = this.#pod;
    const chosen: Connection[] = [];
    // The hub has them in the order in which they came.
    for (const connection of hub.connections()) {
      if (chosen.length === count || connection.openedAt >= before) break;
      if (!this.#leaves(connection)) chosen.push(connection);
    }
    for (const [index, connection] of chosen.entries()) {
      this.#leaving.add(connection);
      clock.after((index * TICK_MS) / chosen.length, () => {
        this.#moveOneAway(connection).catch(this.#failed);
      });
    }
  }

  #leaves(connection: Connection): boolean {
    return connection.closeCode !== undefined || this.#leaving.has(connection);
  }

  async #moveOneAway(connection: Connection): Promise<void> {
    // The drain sends this client away in its turn.
    if (this.#stopped) return;
    await sendAway(this.#pod, connection, () => 0);
    // The connection may have ended otherwise meanwhile.
    if (connection.closeCode === CLOSE.drain.code) this.moved += 1;
  }

  readonly #failed = (error: unknown): void => {
    // While the directory is unavailable this pod does not know the others, and moves nothing.
    if (isUnavailable(error)) return;
    this.#pod.log.error({ err: error }, 'connections could not be rebalanced');
  };
}
