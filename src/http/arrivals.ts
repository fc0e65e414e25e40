import { createHash } from 'node:crypto';
import { arrive, type Arrived } from '../core/commands/arrive.ts';
import { evidenceOf } from '../core/commands/hook-views.ts';
import type { Pod } from '../core/commands/pod.ts';
import type { Principal } from '../core/ports/principal.ts';
import type { UpgradeRefusal } from '../core/base/upgrade-refusal.ts';

/** How long an answer of the hooks holds for a token on this pod. */
const HOLDS_MS = 10_000;
const MOST = 10_000;

interface Kept {
  readonly answer: Promise<Arrived | UpgradeRefusal>;
  /** By `Clock.elapsed`. */
  readonly until: number;
}

/** Asks the hooks about users who send HTTP requests with their own token: each such token is a handshake. */
export class Arrivals {
  readonly #pod: Pod;
  /** By the digest of the token, oldest first. */
  readonly #kept = new Map<string, Kept>();

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  /** The user as the hooks name it, or why they refuse it. Without hooks the user stays as the token has it. */
  ask(token: string, known: Principal, remote: string): Promise<Arrived | UpgradeRefusal> {
    const { hooks, clock } = this.#pod;
    if (hooks === undefined) return Promise.resolve({ principal: known });
    const key = createHash('sha256').update(token).digest('base64');
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > clock.elapsed()) return kept.answer;
    const source = hooks.passedHeaders === undefined ? undefined : { headers: {}, remote };
    const { userId } = known;
    const evidence = evidenceOf(source, known);
    const answer = arrive(hooks, clock.now(), { occasion: 'http', id: null, userId, evidence }, known);
    this.#keep(key, { answer, until: clock.elapsed() + HOLDS_MS });
    return answer;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST) return;
      this.#kept.delete(oldest);
    }
  }
}
