import { DIRECT, GLOBAL } from '../protocol/names.ts';
import type { Fleeting, Note } from '../core/ports/broker.ts';
import { createHash } from 'node:crypto';

/** How long a publication can be repeated without being published twice (docs/protocol.md, "Idempotency"). */
export const CLAIM_MS = 300_000;

/** More than that many at a time are not remembered: the oldest go. */
const MOST_CLAIMS = 100_000;

/** Which id was given first under which key, for five minutes. */
export class Claims {
  /** Oldest first: a Map keeps the order in which keys were set, and none is set twice before it expires. */
  readonly #claims = new Map<string, { id: string; expires: number }>();

  /** The id claimed under the key, if any. */
  get(key: string, now: number): string | undefined {
    this.#expire(now);
    return this.#claims.get(key)?.id;
  }

  /** The first id claimed under the key, which is this one if there is none yet. */
  claim(key: string, id: string, now: number): string {
    const first = this.get(key, now);
    if (first === undefined) this.set(key, id, now);
    return first ?? id;
  }

  set(key: string, id: string, now: number): void {
    this.#claims.set(key, { id, expires: now + CLAIM_MS });
    if (this.#claims.size <= MOST_CLAIMS) return;
    for (const [oldest] of this.#claims) {
      this.#claims.delete(oldest);
      return;
    }
  }

  #expire(now: number): void {
    for (const [key, { expires }] of this.#claims) {
      if (expires > now) return;
      this.#claims.delete(key);
    }
  }
}

const KEYED = '~';

/** The name of a publication with a key, 128 bits of a hash: one that two pods give alike. */
export function nameOf(room: string, key: string): string {
  return KEYED + createHash('sha256').update(`${room}\n${key}`).digest('base64url').slice(0, 22);
}

/** The name of what no history holds, where it has a key. */
export function nameOfFleeting(room: string, { key }: Fleeting): string | undefined {
  return key === undefined ? undefined : nameOf(room, key);
}

export function nameOfNote(note: Note): string | undefined {
  return note.kind === 'kick' ? undefined : nameOfFleeting(note.kind === 'global' ? GLOBAL : DIRECT, note);
}

export function isKeyed(name: string): boolean {
  return name.startsWith(KEYED);
}
