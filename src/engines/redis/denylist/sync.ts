import { type DenialList, type DenialRow, readDenial, REMOVAL_MS } from '../../shared/denial-list.ts';
import { type Script, scriptsIn } from '../connection/script.ts';
import type { Backbone } from '../connection/backbone.ts';
import type { DenialRows } from './rows.ts';
import { Unavailable } from '../../shared/unavailable.ts';

const script = scriptsIn('denylist');
const CHANGES = script('changes');
const RESTORE = script('restore');
const EXPIRE = script('expire');
export const SYNC_SCRIPTS: readonly Script[] = [CHANGES, RESTORE, EXPIRE];

/** Rows per script. */
const PAGE = 1_000;
const CHUNK = 200;

export interface DenialSyncOptions {
  readonly backbone: Backbone;
  readonly list: DenialList;
  readonly rows: DenialRows;
}

interface Changes {
  readonly name: string;
  readonly order: number;
  readonly entries: number;
  readonly removals: number;
  readonly rows: readonly (readonly [key: string, row: DenialRow, order: number])[];
  /** The page is full: more may follow. */
  readonly isFull: boolean;
}

/**
 * Keeps a pod's copy of the denylist equal to that in Redis. Usually it reads what was written after the last order that
 * it knows. If Redis may have lost something (another name, a lower order, fewer rows than the pod has, a new
 * connection), it reads all rows and writes back those that it alone has.
 */
export class DenialSync {
  readonly #options: DenialSyncOptions;
  #name = '';
  #order = 0;
  /** Whether Redis may have lost something. */
  #isDoubtful = true;
  #running: Promise<void> | undefined;
  /** When the copy was last equal, by `Clock.elapsed`. */
  #equalAt: number;

  constructor(options: DenialSyncOptions) {
    this.#options = options;
    this.#equalAt = options.backbone.clock.elapsed();
  }

  /** Redis may have lost something. */
  doubt(): void {
    this.#isDoubtful = true;
  }

  /** Never rejects. While Redis is away the copy stays as it is. */
  run(): Promise<void> {
    this.#running ??= this.#guarded(() => this.#run()).finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Removes what has ended, here and in Redis. */
  expire(): Promise<void> {
    const ended = this.#options.list.expire();
    return this.#guarded(async () => {
      for (let at = 0; at < ended.length; at += CHUNK)
        await this.#options.rows.call(EXPIRE, ended.slice(at, at + CHUNK));
    });
  }

  async #guarded(task: () => Promise<void>): Promise<void> {
    const { backbone } = this.#options;
    if (!backbone.shared.up) return;
    try {
      await task();
    } catch (error) {
      if (!(error instanceof Unavailable))
        backbone.log.error({ err: error }, 'blocks and revocations could not be read');
    }
  }

  async #run(): Promise<void> {
    const { backbone, list } = this.#options;
    if (!this.#isDoubtful) await this.#follow();
    if (this.#isDoubtful) await this.#compare();
    this.#equalAt = backbone.clock.elapsed();
    list.expire();
  }

  /** Takes what was written since the last time. */
  async #follow(): Promise<void> {
    const { list } = this.#options;
    for (;;) {
      const changes = await this.#read(this.#order);
      if (changes.name !== this.#name || changes.order < this.#order) {
        this.#isDoubtful = true;
        return;
      }
      for (const [key, row] of changes.rows) list.take(key, row);
      this.#order = changes.rows.at(-1)?.[2] ?? changes.order;
      if (changes.isFull) continue;
      list.expire();
      this.#isDoubtful = changes.entries < list.entries || changes.removals < list.removals;
      return;
    }
  }

  /** Reads all rows, and writes back what Redis lost. */
  async #compare(): Promise<void> {
    const { backbone, list } = this.#options;
    const there = new Map<string, number>();
    const isStale = backbone.clock.elapsed() - this.#equalAt >= REMOVAL_MS;
    this.#isDoubtful = false;
    try {
      let [order, changes] = [0, await this.#read(0)];
      // Removals that this pod missed may be forgotten by now.
      if (isStale && changes.name !== '') for (const [key] of Array.from(list.rows())) list.drop(key);
      for (;;) {
        for (const [key, row] of changes.rows) {
          there.set(key, row.version);
          list.take(key, row);
        }
        order = changes.rows.at(-1)?.[2] ?? changes.order;
        if (!changes.isFull) break;
        changes = await this.#read(order);
      }
      [this.#name, this.#order] = [changes.name, order];
      await this.#restore(there);
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  async #restore(there: ReadonlyMap<string, number>): Promise<void> {
    const { list, rows } = this.#options;
    list.expire();
    const lost = Array.from(list.rows()).filter(([key, { version }]) => (there.get(key) ?? -1) < version);
    for (let at = 0; at < lost.length; at += CHUNK) {
      const args = lost
        .slice(at, at + CHUNK)
        .flatMap(([key, { version, until, denial }]) => [
          key,
          version,
          until,
          denial === undefined ? '' : JSON.stringify(denial),
        ]);
      await rows.call(RESTORE, args);
    }
    // The list may have got its name by this.
    if (lost.length > 0) this.#name = (await this.#read(this.#order)).name;
  }

  async #read(after: number): Promise<Changes> {
    const reply = (await this.#options.rows.call(CHANGES, [after, PAGE])) as (string | number)[];
    const [name = '', order = 0, entries = 0, removals = 0, ...pairs] = reply;
    const rows: [string, DenialRow, number][] = [];
    for (let at = 0; at < pairs.length; at += 2) {
      const [, written = '', version = '', until = '', text = ''] =
        /^(\d+) (\d+) (\d+) (.*)$/s.exec(String(pairs[at + 1])) ?? [];
      const denial = text === '' ? undefined : readDenial(text);
      if (written === '' || (text !== '' && denial === undefined)) continue;
      const row = { version: Number(version), until: Number(until), denial };
      rows.push([String(pairs[at]), row, Number(written)]);
    }
    return {
      name: String(name),
      order: Number(order),
      entries: Number(entries),
      removals: Number(removals),
      rows,
      isFull: pairs.length === 2 * PAGE,
    };
  }
}
