import {
  type Block,
  type Denial,
  type Denylist,
  type Issued,
  MOST_DENIALS,
} from '../../core/ports/denylist.ts';
import {
  blockKey,
  DenialList,
  type DenialRow,
  keyOf,
  readDenial,
  REMOVAL_MS,
} from '../shared/denial-list.ts';
import { ensureStream, UNNAMED_MS } from './connection/streams.ts';
import { isWrongSequence, natsUnavailable } from './connection/answers.ts';
import { every } from '../../core/base/every.ts';
import { Follower, type Row } from './connection/follower.ts';
import { ignored } from '../shared/ignored.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { textToken } from './connection/names.ts';
import { Unavailable } from '../shared/unavailable.ts';

/** Nothing expires by its age: pods delete what has ended. */
const NO_AGE = 0;
const EXPIRE_MS = 5_000;
const ATTEMPTS = 5;

/** The denylist of all pods: one message for each entry or removal, which every pod follows. */
export class NatsDenylist implements Denylist {
  readonly #backbone: NatsBackbone;
  readonly #list: DenialList;
  readonly #follower: Follower;
  /** The stream sequence of the message under each key. */
  readonly #sequences = new Map<string, number>();
  /** The versions that came since the stream is read from its start; undefined once all have come. */
  #there: Map<string, number> | undefined;
  #timers: readonly (() => void)[] = [];

  constructor(backbone: NatsBackbone) {
    this.#backbone = backbone;
    this.#list = new DenialList(() => this.now());
    const { clock, link, log, names, pod, replicas } = backbone;
    const plan = {
      name: this.#stream,
      subjects: [names.subject('denials', '*')],
      replicas,
      maxAgeMs: NO_AGE,
      perSubject: 1,
      duplicatesMs: UNNAMED_MS,
    };
    link.prepare(async (live) => void (await ensureStream(live, plan)));
    const reader = {
      begin: (silentMs: number) => this.#begin(silentMs),
      take: (row: Row) => this.#take(row),
      current: () => this.#current(),
    };
    this.#follower = new Follower({ link, names, pod, clock, log, what: 'denials', reader });
  }

  get size(): number {
    return this.#list.entries;
  }

  now(): number {
    return this.#backbone.link.now();
  }

  start(denied: (denial: Denial) => void): void {
    this.#list.start(denied);
    this.#timers = [every(this.#backbone.clock, EXPIRE_MS, () => this.#expire())];
  }

  refreshed(): Promise<void> {
    return this.#follower.upToDate().catch(ignored);
  }

  blockOf(userId: string): Block | undefined {
    return this.#list.blockOf(userId);
  }

  isRevoked(token: Issued): boolean {
    return this.#list.isRevoked(token);
  }

  async add(denial: Denial): Promise<boolean> {
    const key = keyOf(denial);
    if (this.#list.row(key)?.denial === undefined && this.size >= MOST_DENIALS) return false;
    await this.#decide(key, denial.until, denial);
    return true;
  }

  async unblock(userId: string): Promise<void> {
    await this.#decide(blockKey(userId), this.now() + REMOVAL_MS, undefined);
  }

  blocks(after: string, limit: number): readonly Block[] {
    return this.#list.blocks(after, limit);
  }

  stop(): void {
    for (const stop of this.#timers) stop();
    this.#list.stop();
    this.#follower.stop();
  }

  get #stream(): string {
    return this.#backbone.names.stream('denials');
  }

  async #decide(key: string, until: number, denial: Denial | undefined): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const version = Math.max(this.now(), this.#list.newestVersion + 1);
      if (await this.#write(key, { version, until, denial })) return;
      await this.#follower.upToDate();
    }
    throw natsUnavailable('too many pods change this entry at once');
  }

  /** False: another pod has written under the key, which this pod has not read yet. */
  async #write(key: string, row: DenialRow): Promise<boolean> {
    const { link, names } = this.#backbone;
    const { version, until, denial } = row;
    const text = `${version} ${Math.ceil(until)} ${key}\n${denial === undefined ? '' : JSON.stringify(denial)}`;
    const expect = { lastSubjectSequence: this.#sequences.get(key) ?? 0 };
    try {
      const { seq } = await link.store(names.subject('denials', textToken(key)), text, { expect });
      this.#sequences.set(key, seq);
    } catch (error) {
      if (isWrongSequence(error)) return false;
      throw error;
    }
    this.#list.take(key, row);
    return true;
  }

  #begin(silentMs: number): void {
    this.#there = new Map();
    this.#sequences.clear();
    // Removals that this pod missed may be forgotten by now.
    if (Number.isFinite(silentMs) && silentMs >= REMOVAL_MS)
      for (const [key] of Array.from(this.#list.rows())) this.#list.drop(key);
  }

  #take({ data, sequence }: Row): void {
    const [, version = '', until = '', key = '', text = ''] =
      /^(\d+) (\d+) ([^\n]*)\n(.*)$/s.exec(Buffer.from(data).toString()) ?? [];
    const denial = text === '' ? undefined : readDenial(text);
    if (version === '' || (text !== '' && denial === undefined)) return;
    this.#sequences.set(key, sequence);
    this.#there?.set(key, Number(version));
    this.#list.take(key, { version: Number(version), until: Number(until), denial });
  }

  /** Writes back what the stream has lost. */
  #current(): void {
    const there = this.#there ?? new Map<string, number>();
    this.#there = undefined;
    this.#list.expire();
    const lost = Array.from(this.#list.rows()).filter(
      ([key, { version }]) => (there.get(key) ?? -1) < version,
    );
    void this.#guarded(async () => {
      // What another pod wrote meanwhile, this one reads.
      for (const [key, row] of lost) await this.#write(key, row);
    });
  }

  #expire(): Promise<void> {
    const ended = this.#list.expire();
    return this.#guarded(async () => {
      for (const key of ended) await this.#forget(key);
    });
  }

  async #forget(key: string): Promise<void> {
    const seq = this.#sequences.get(key);
    this.#sequences.delete(key);
    if (seq === undefined) return;
    // Every pod does this; one of them is first.
    const { link } = this.#backbone;
    await link.call(({ jsm }) => jsm.streams.deleteMessage(this.#stream, seq, false).catch(ignored));
  }

  async #guarded(task: () => Promise<void>): Promise<void> {
    const { link, log } = this.#backbone;
    if (!link.up) return;
    try {
      await task();
    } catch (error) {
      if (!(error instanceof Unavailable))
        log.error({ err: error }, 'blocks and revocations could not be written');
    }
  }
}
