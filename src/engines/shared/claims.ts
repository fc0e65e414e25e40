import { bytesOf, type MemoryBudget, type Evictable } from './memory-budget.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import type { Fleeting, Note } from '../../core/ports/broker.ts';
import { Aging } from './aging.ts';
import { CLAIM_MS } from './terms.ts';
import { createHash } from 'node:crypto';

/** Memory of a claim besides its key and its id. */
const CLAIM_BYTES = 240;

interface Claim {
  readonly id: string;
  readonly expires: number;
  readonly use: number;
  readonly bytes: number;
}

/** The first id claimed under each key, for five minutes, or until the memory budget evicts it. */
export class Claims implements Evictable {
  readonly #budget: MemoryBudget;
  /** In the order in which they were set, which is the order in which they expire. */
  readonly #claims = new Aging<Claim>();

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
    budget.watch(this);
  }

  /** The id claimed under the key, if any. */
  get(key: string, now: number): string | undefined {
    this.#expire(now);
    return this.#claims.get(key)?.id;
  }

  /** The first id claimed under the key: `id`, if there is none yet. */
  claim(key: string, id: string, now: number): string {
    const first = this.get(key, now);
    if (first === undefined) this.set(key, id, now);
    return first ?? id;
  }

  set(key: string, id: string, now: number): void {
    this.#delete(key);
    const bytes = CLAIM_BYTES + bytesOf(key) + bytesOf(id);
    this.#claims.put(key, { id, expires: now + CLAIM_MS, use: this.#budget.use(), bytes });
    this.#budget.take(bytes);
    this.#budget.fit();
  }

  get oldestUse(): number | undefined {
    return this.#claims.oldest?.thing.use;
  }

  evict(): void {
    const { oldest } = this.#claims;
    if (oldest !== undefined) this.#delete(oldest.name);
  }

  #delete(key: string): void {
    this.#budget.release(this.#claims.get(key)?.bytes ?? 0);
    this.#claims.delete(key);
  }

  #expire(now: number): void {
    for (let first = this.#claims.oldest; first !== undefined; first = this.#claims.oldest) {
      if (first.thing.expires > now) return;
      this.#delete(first.name);
    }
  }
}

const KEYED = '~';

/** The name of a publication with a key: 128 bits of a hash, the same on every pod. */
export function nameOf(room: string, key: string): string {
  return KEYED + createHash('sha256').update(`${room}\n${key}`).digest('base64url').slice(0, 22);
}

/** The name of a message that no history stores; undefined if it has no key. */
export function nameOfFleeting(room: string, { key }: Fleeting): string | undefined {
  return key === undefined ? undefined : nameOf(room, key);
}

export function nameOfNote(note: Note): string | undefined {
  return note.kind === 'kick' ? undefined : nameOfFleeting(note.kind === 'global' ? GLOBAL : DIRECT, note);
}

export function isKeyed(name: string): boolean {
  return name.startsWith(KEYED);
}
