import {
  type Block,
  type Denial,
  type Denylist,
  type Issued,
  MOST_DENIALS,
} from '../../core/ports/denylist.ts';
import { blockKey, DenialList, keyOf, REMOVAL_MS } from '../shared/denial-list.ts';
import { type Script, scriptsIn } from './connection/script.ts';
import type { Backbone } from './connection/backbone.ts';
import { every } from '../../core/base/every.ts';
import { DenialSync, SYNC_SCRIPTS } from './denylist/sync.ts';
import { DenialRows } from './denylist/rows.ts';

const DECIDE = scriptsIn('denylist')('decide');
export const DENYLIST_SCRIPTS: readonly Script[] = [DECIDE, ...SYNC_SCRIPTS];

/** How often a pod asks for changes. Other pods act on a change after that time and one answer of Redis. */
const ASK_MS = 750;
const EXPIRE_MS = 5_000;

/** The denylist of all pods, in Redis; each pod holds a copy of it. */
export class RedisDenylist implements Denylist {
  readonly #backbone: Backbone;
  readonly #list: DenialList;
  readonly #rows: DenialRows;
  readonly #sync: DenialSync;
  #timers: readonly (() => void)[] = [];

  constructor(backbone: Backbone) {
    this.#backbone = backbone;
    this.#list = new DenialList(() => this.now());
    this.#rows = new DenialRows(backbone);
    this.#sync = new DenialSync({ backbone, list: this.#list, rows: this.#rows });
  }

  get size(): number {
    return this.#list.entries;
  }

  now(): number {
    return this.#backbone.shared.now();
  }

  start(denied: (denial: Denial) => void): void {
    const { clock, placement } = this.#backbone;
    this.#list.start(denied);
    placement.whenReconnected(() => {
      this.#sync.doubt();
      void this.#sync.run();
    });
    this.#timers = [
      every(clock, ASK_MS, () => this.#sync.run()),
      every(clock, EXPIRE_MS, () => this.#sync.expire()),
    ];
  }

  refreshed(): Promise<void> {
    return this.#sync.run();
  }

  blockOf(userId: string): Block | undefined {
    return this.#list.blockOf(userId);
  }

  isRevoked(token: Issued): boolean {
    return this.#list.isRevoked(token);
  }

  async add(denial: Denial): Promise<boolean> {
    return this.#decide(keyOf(denial), denial.until, denial);
  }

  async unblock(userId: string): Promise<void> {
    await this.#decide(blockKey(userId), REMOVAL_MS, undefined);
  }

  blocks(after: string, limit: number): readonly Block[] {
    return this.#list.blocks(after, limit);
  }

  stop(): void {
    for (const stop of this.#timers) stop();
    this.#list.stop();
  }

  async #decide(key: string, until: number, denial: Denial | undefined): Promise<boolean> {
    const text = denial === undefined ? '' : JSON.stringify(denial);
    const args = [key, Math.ceil(until), text, MOST_DENIALS, this.#list.newestVersion];
    const [version, ends] = (await this.#rows.call(DECIDE, args)) as string[];
    if (version === undefined) return false;
    this.#list.take(key, { version: Number(version), until: Number(ends), denial });
    return true;
  }
}
