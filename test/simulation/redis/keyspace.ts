import { copyOf, type Dump, type Entry, type Value, type ValueOf } from './data.ts';
import { WRONG_TYPE } from './replies.ts';

export interface KeyspaceOptions {
  /** Milliseconds since 1970, whole ones; it stands still while a command runs. */
  readonly now: () => number;
  /** A command that does again what was just done here: what replicas are sent. */
  readonly changed: (words: readonly string[]) => void;
}

/**
 * - `master`: takes a key away once its time is over, and says so.
 * - `replica`: only does as if, until its master says so.
 * - `obeying`: does what the master did, for whom the key was still there.
 */
type Mode = 'master' | 'replica' | 'obeying';

/** The keys of a server and their values. */
export class Keyspace {
  readonly #options: KeyspaceOptions;
  #entries = new Map<string, Entry>();
  mode: Mode = 'master';

  constructor(options: KeyspaceOptions) {
    this.#options = options;
  }

  now(): number {
    return this.#options.now();
  }

  /** Tells the replicas of a change that was made. */
  changed(...words: readonly string[]): void {
    this.#options.changed(words);
  }

  /** What is there under the key; its value is changed in place. */
  entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry?.expiresAt === undefined || this.mode === 'obeying' || this.now() <= entry.expiresAt)
      return entry;
    if (this.mode === 'master') this.expire(key);
    return undefined;
  }

  /** Raises WRONGTYPE where something of another type is there. */
  find<Type extends Value['type']>(key: string, type: Type): ValueOf<Type> | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (entry.value.type !== type) throw WRONG_TYPE;
    return entry.value as ValueOf<Type>;
  }

  /** A value under a key that has none yet, or another one, and no end. */
  put<One extends Value>(key: string, value: One, expiresAt?: number): One {
    this.#entries.set(key, { value, expiresAt });
    return value;
  }

  /** Gives whether it was there. */
  remove(key: string): boolean {
    return this.entry(key) !== undefined && this.#entries.delete(key);
  }

  /** Takes it away for a reason of the server's own. */
  expire(key: string): void {
    if (this.#entries.delete(key)) this.changed('DEL', key);
  }

  /** Of those whose time is not over. */
  keys(): string[] {
    return [...this.#entries.keys()].filter((key) => this.entry(key) !== undefined);
  }

  clear(): void {
    this.#entries.clear();
  }

  dump(): Dump {
    return { entries: copyOf(this.#entries) };
  }

  load({ entries }: Dump): void {
    this.#entries = copyOf(entries);
  }
}
