import { type Destination, type Outcome, post } from './post.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';

/** How often a body is posted at most: with the waits between, about four minutes. */
export const ATTEMPTS = 10;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export interface CourierContext {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Brings one body after the other to its destination, and comes again where it was not taken. */
export class Courier {
  readonly #context: CourierContext;
  readonly #aborted = new AbortController();
  /** Ends the wait before the next attempt; one that the receiver asked for only if told to end any. */
  #endWait: (any: boolean) => void = () => undefined;
  /** Attempts after a first one. */
  retries = 0;

  constructor(context: CourierContext) {
    this.#context = context;
  }

  /** Never rejects. `refused` by the receiver, `gave_up` after the last attempt, `stopped` by `abort`. */
  async deliver(body: string): Promise<'taken' | 'refused' | 'gave_up' | 'stopped'> {
    const { clock, destination, log } = this.#context;
    const { origin } = destination.address;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await post(destination, body, clock, this.#aborted.signal);
      if (outcome.kind === 'taken') return 'taken';
      if (this.#aborted.signal.aborted) return 'stopped';
      const { reason } = outcome;
      if (outcome.kind === 'refused' || attempt === ATTEMPTS) {
        log.error({ origin, reason, attempt }, 'webhook events were not taken and are dropped');
        return outcome.kind === 'refused' ? 'refused' : 'gave_up';
      }
      const waitMs = this.#waitMs(attempt, outcome);
      log.warn({ origin, reason, attempt, waitMs }, 'webhook events were not taken and are posted again');
      await this.#wait(waitMs, outcome.retryAfterMs !== undefined);
      if (this.#aborted.signal.aborted) return 'stopped';
      this.retries += 1;
    }
  }

  /** Does not wait for the next attempt any more, unless the receiver asked for it. */
  hurry(): void {
    this.#endWait(false);
  }

  abort(): void {
    this.#aborted.abort();
    this.#endWait(true);
  }

  /** Twice as long each time, up to a bound, and half of it left to chance, so that pods do not come together. */
  #waitMs(attempt: number, { retryAfterMs = 0 }: Extract<Outcome, { kind: 'failed' }>): number {
    const longest = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    return Math.max(retryAfterMs, Math.round((longest / 2) * (1 + this.#context.random())));
  }

  #wait(ms: number, asked: boolean): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.clock.after(ms, resolve);
      this.#endWait = (any) => {
        if (asked && !any) return;
        cancel();
        resolve();
      };
    });
  }
}
