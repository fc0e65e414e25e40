import { type Load, Surplus, youngest } from './surplus.ts';
import type { Connection } from './connection.ts';
import type { Pod } from './pod.ts';
import { isUnavailable } from './refused.ts';
import { sendAway } from './departure.ts';

const TICK_MS = 1_000;

/**
 * Gives connections to the other pods while this one has many more than they: after a scale-out new pods fill up.
 * Clients are sent away one by one as in a drain, the oldest first.
 */
export class Rebalance {
  readonly #pod: Pod;
  readonly #surplus: Surplus;
  #cancel: () => void = () => undefined;
  #stopped = false;
  /** Connections that were given away, since the start. */
  moved = 0;

  constructor(pod: Pod) {
    this.#pod = pod;
    this.#surplus = new Surplus(pod.limits.rebalancePercent, pod.limits.rebalancePerSecond);
  }

  start(): void {
    this.#cancel = this.#pod.clock.after(TICK_MS, () => {
      this.#tick()
        .catch(this.#failed)
        .finally(() => {
          if (!this.#stopped) this.start();
        });
    });
  }

  /** This pod is emptied: the others no longer count on it. */
  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#pod.directory.loads(undefined).catch(this.#failed);
  }

  async #tick(): Promise<void> {
    const { directory, hub, startedAt } = this.#pod;
    const own: Load = { connections: hub.connectionCount, since: startedAt };
    const others = await directory.loads(own);
    if (this.#stopped) return;
    const counts = others.map(({ connections }) => connections);
    const count = this.#surplus.next(hub.connectionCount, counts);
    if (count > 0) this.#giveAway(count, youngest([own, ...others]));
  }

  #giveAway(count: number, before: number): void {
    const { clock, hub } = this.#pod;
    const leaving: Connection[] = [];
    for (const connection of hub.connections()) {
      if (leaving.length === count) break;
      if (connection.openedAt < before && connection.closeCode === undefined) leaving.push(connection);
    }
    this.moved += leaving.length;
    for (const [index, connection] of leaving.entries()) {
      clock.after((index * TICK_MS) / leaving.length, () => {
        sendAway(connection, 0, clock).catch(this.#failed);
      });
    }
  }

  readonly #failed = (error: unknown): void => {
    // Without Redis nobody knows of the others, and nothing is moved.
    if (isUnavailable(error)) return;
    this.#pod.log.error({ err: error }, 'connections could not be rebalanced');
  };
}
