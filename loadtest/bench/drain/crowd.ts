import { roomOf } from '../load/layout.ts';
import { oneByOne } from '../load/one-by-one.ts';
import { busiest, percentile } from '../stats.ts';
import type { Account, CrowdOptions, Handover } from './commands.ts';
import { Follower, type Watcher } from './follower.ts';
import { Ledger } from './ledger.ts';
import { Publisher } from './publisher.ts';

const nameOf = (room: number): string => `drain-${room}`;

/** All clients of the case `drain`, and what has happened to them. */
export class Crowd {
  readonly #options: CrowdOptions;
  readonly #ledger: Ledger;
  #publisher: Publisher | undefined;
  /** When handshakes with the other pod began, by `performance.now()`. */
  readonly #returning: number[] = [];
  readonly #gaps: number[] = [];
  #lastBackAt = Number.NaN;
  #refused = 0;
  #replayed = 0;
  #fault: Error | undefined;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.connections, options.rooms);
  }

  /** Connects everybody, then begins to publish: every number is for every member of its room. */
  async gather(): Promise<void> {
    const { from, to, connections, rooms } = this.#options;
    await oneByOne(connections, (index) => {
      const room = nameOf(roomOf(index, { rooms, ports: 1 }));
      return new Follower({ user: `u${index}`, room, from, to, watcher: this.#watch(index) }).join();
    });
    this.#publisher = await Publisher.start({ port: to, rooms, nameOf, onFault: this.#onFault });
  }

  /** How many have moved. Throws what should not have happened to any of them. */
  get moved(): number {
    if (this.#fault !== undefined) throw this.#fault;
    return this.#gaps.length;
  }

  /** How they moved. */
  handover(): Omit<Handover, 'load'> {
    const gaps = this.#gaps.toSorted((a, b) => a - b);
    return {
      lastBackAt: performance.timeOrigin + this.#lastBackAt,
      worstSecond: busiest(this.#returning, 1000),
      refused: this.#refused,
      gapP50Ms: percentile(gaps, 0.5),
      gapP99Ms: percentile(gaps, 0.99),
      gapMaxMs: percentile(gaps, 1),
      replayed: this.#replayed,
    };
  }

  stopPublishing(): void {
    this.#publisher?.stop();
  }

  /** What has arrived so far of what was published so far. */
  account(): Account {
    return this.#ledger.account(this.#publisher?.published ?? 0);
  }

  #watch(index: number): Watcher {
    return {
      onMessage: (number) => this.#ledger.receive(index, number),
      onReturning: (at) => this.#returning.push(at),
      onRefused: () => this.#refused++,
      onReturned: ({ from, to, replayed }) => {
        this.#gaps.push(to - from);
        this.#lastBackAt = to;
        this.#replayed += replayed;
      },
      onFault: this.#onFault,
    };
  }

  /** The first one tells most. */
  readonly #onFault = (error: Error): void => {
    this.#fault ??= error;
  };
}
