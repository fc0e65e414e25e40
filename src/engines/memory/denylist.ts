import { blockKey, DenialList, keyOf } from '../shared/denial-list.ts';
import {
  type Block,
  type Denial,
  type Denylist,
  type Issued,
  MOST_DENIALS,
} from '../../core/ports/denylist.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** The denylist of a single pod; it ends with the process. */
export class MemoryDenylist implements Denylist {
  readonly #clock: Clock;
  readonly #list: DenialList;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#list = new DenialList(() => clock.now());
  }

  get size(): number {
    this.#list.expire();
    return this.#list.entries;
  }

  now(): number {
    return this.#clock.now();
  }

  start(denied: (denial: Denial) => void): void {
    this.#list.start(denied);
  }

  refreshed(): Promise<void> {
    return Promise.resolve();
  }

  blockOf(userId: string): Block | undefined {
    return this.#list.blockOf(userId);
  }

  isRevoked(token: Issued): boolean {
    return this.#list.isRevoked(token);
  }

  add(denial: Denial): Promise<boolean> {
    const key = keyOf(denial);
    const isFull = (): boolean => this.#list.entries >= MOST_DENIALS && this.size >= MOST_DENIALS;
    const fits = this.#list.row(key) !== undefined || !isFull();
    const version = this.#list.newestVersion + 1;
    if (fits) this.#list.take(key, { version, until: denial.until, denial });
    return Promise.resolve(fits);
  }

  unblock(userId: string): Promise<void> {
    this.#list.drop(blockKey(userId));
    return Promise.resolve();
  }

  blocks(after: string, limit: number): readonly Block[] {
    return this.#list.blocks(after, limit);
  }

  stop(): void {
    this.#list.stop();
  }
}
