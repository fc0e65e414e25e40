import type { Clock } from '../ports/clock.ts';
import type { ConnectionView, JoinDecision } from '../ports/hooks.ts';

const MOST_ANSWERS = 10_000;
/** The sum of the lengths of their keys, which hold the claims of tokens. */
const MOST_CHARACTERS = 4_194_304;

interface Kept {
  readonly decision: JoinDecision;
  /** By `Clock.elapsed`. */
  readonly until: number;
}

/** Answers about joins that hold for a while (`ttl_seconds`): for one user with the same claims, and one room. */
export class JoinAnswers {
  readonly #clock: Pick<Clock, 'elapsed'>;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #characters = 0;

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock;
  }

  find(who: ConnectionView, room: string): JoinDecision | undefined {
    if (this.#kept.size === 0) return undefined;
    const key = keyOf(who, room);
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.until > this.#clock.elapsed()) return kept?.decision;
    this.#forget(key);
    return undefined;
  }

  keep(who: ConnectionView, room: string, decision: JoinDecision, ttlMs: number): void {
    if (ttlMs === 0) return;
    const key = keyOf(who, room);
    this.#forget(key);
    this.#kept.set(key, { decision, until: this.#clock.elapsed() + ttlMs });
    this.#characters += key.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_ANSWERS && this.#characters <= MOST_CHARACTERS) return;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    if (this.#kept.delete(key)) this.#characters -= key.length;
  }
}

function keyOf({ userId, evidence }: ConnectionView, room: string): string {
  return JSON.stringify([userId, room, evidence?.claims]);
}
