import { type Destination, type Outcome, post } from './post.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';

/** The maximum number of attempts per body; with the waits between them about four minutes. */
export const ATTEMPTS = 10;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

export interface CourierContext {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly log: Log;
  /** What is posted, for the log. */
  readonly events: 'presence' | 'messages';
  /** In [0, 1). */
  readonly random: () => number;
}

/** Posts one body after the other, and retries with backoff. */
export class Courier {
  readonly #context: CourierContext;
  readonly #aborted = new AbortController();
  /** Ends the wait before the next attempt. A wait that `Retry-After` requested ends only if `force` is true. */
  #endWait: (force: boolean) => void = () => undefined;
  /** How many attempts were repetitions. */
  retries = 0;

  constructor(context: CourierContext) {
    this.#context = context;
  }

  /** Never rejects. `refused`: by the receiver. `gave_up`: after the last attempt. `stopped`: by `abort`. */
  async deliver(body: string): Promise<'accepted' | 'refused' | 'gave_up' | 'stopped'> {
    const { clock, destination, events, log } = this.#context;
    const { origin } = destination.address;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await post(destination, body, clock, this.#aborted.signal);
      if (outcome.kind === 'accepted') return 'accepted';
      if (this.#aborted.signal.aborted) return 'stopped';
      const { reason } = outcome;
      if (outcome.kind === 'refused' || attempt === ATTEMPTS) {
        log.error(
          { origin, events, reason, attempt },
          'the webhook receiver did not accept events; they are dropped',
        );
        return outcome.kind === 'refused' ? 'refused' : 'gave_up';
      }
      const waitMs = this.#waitMs(attempt, outcome);
      log.warn(
        { origin, events, reason, attempt, waitMs },
        'the webhook receiver did not accept events; they will be posted again',
      );
      await this.#wait(waitMs, outcome.retryAfterMs !== undefined);
      if (this.#aborted.signal.aborted) return 'stopped';
      this.retries += 1;
    }
  }

  /** Ends the wait before the next attempt, unless the receiver requested it with `Retry-After`. */
  hurry(): void {
    this.#endWait(false);
  }

  abort(): void {
    this.#aborted.abort();
    this.#endWait(true);
  }

  /** Exponential backoff with an upper bound. Half of it is random, so that pods do not retry at the same moment. */
  #waitMs(attempt: number, { retryAfterMs = 0 }: Extract<Outcome, { kind: 'failed' }>): number {
    const longest = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    return Math.max(retryAfterMs, Math.round((longest / 2) * (1 + this.#context.random())));
  }

  #wait(ms: number, isRequested: boolean): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#context.clock.after(ms, resolve);
      this.#endWait = (force) => {
        if (isRequested && !force) return;
        cancel();
        resolve();
      };
    });
  }
}
