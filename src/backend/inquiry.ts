import { DELAY_BOUNDS_MS, type Delays, observe } from '../core/base/tally.ts';
import { type Event, EVENTS } from './questions.ts';
import { type Reply, Requester, type RequesterOptions } from './request.ts';
import { atMostOncePer } from '../core/base/at-most.ts';
import { Breaker } from './breaker.ts';
import type { Json } from '../protocol/json.ts';
import type { Log } from '../core/ports/log.ts';
import { Turns } from './turns.ts';
import { WrongAnswer } from '../core/base/answers.ts';

const WARNING_MS = 60_000;

/**
 * What became of a question. `failed`: a faulty answer, or no connection. `timeout`: no answer in time. `waited`: it
 * found no turn in time. `skipped`: the breaker was open. `dropped`: too many leaves waited.
 */
export const RESULTS = ['allowed', 'refused', 'failed', 'timeout', 'waited', 'skipped', 'dropped'] as const;
export type Result = (typeof RESULTS)[number];

/** What the backend was asked since the start. */
export interface BackendFigures {
  readonly requests: ReadonlyMap<Event, Map<Result, number>>;
  /** From sending a question to its answer. */
  readonly seconds: Delays;
}

export interface InquiryOptions extends RequesterOptions {
  readonly events: readonly Event[];
  readonly concurrency: number;
  readonly log: Log;
}

/** Asks the backend, within its bounds, and counts. Logs no question and no answer: both may hold secrets. */
export class Inquiry {
  readonly figures: BackendFigures;
  readonly #options: InquiryOptions;
  readonly #requester: Requester;
  readonly #turns: Turns;
  readonly #breakers = new Map<Event, Breaker>();
  readonly #warnings = new Map<Event, (reason: string) => void>();

  constructor(options: InquiryOptions) {
    const { clock, concurrency, events } = options;
    this.#options = options;
    this.#requester = new Requester(options);
    this.#turns = new Turns(concurrency, clock);
    for (const event of EVENTS) {
      this.#breakers.set(event, new Breaker(clock));
      this.#warnings.set(event, this.#warningOf(event));
    }
    this.figures = {
      requests: new Map(events.map((event) => [event, new Map(RESULTS.map((result) => [result, 0]))])),
      seconds: { counts: Array<number>(DELAY_BOUNDS_MS.length + 1).fill(0), sumMs: 0 },
    };
  }

  /** Asks once, and reads the answer. Undefined if nothing was decided: nobody answered, or `read` raised WrongAnswer. */
  async ask<Decision extends { readonly kind: string }>(
    event: Event,
    body: Json,
    read: (answer: unknown) => Decision,
  ): Promise<Decision | undefined> {
    const text = await this.#reply(event, body);
    if (text === undefined) return undefined;
    try {
      const decision = read(JSON.parse(text));
      this.count(event, decision.kind === 'refuse' ? 'refused' : 'allowed');
      return decision;
    } catch (error) {
      const reason = error instanceof WrongAnswer ? error.message : 'the answer is not JSON';
      this.#failed(event, 'failed', reason);
      return undefined;
    }
  }

  /** Tells the backend something. Its answer decides nothing, so any 200 will do. */
  async tell(event: Event, body: Json): Promise<void> {
    if ((await this.#reply(event, body)) !== undefined) this.count(event, 'allowed');
  }

  count(event: Event, result: Result, by = 1): void {
    const results = this.figures.requests.get(event);
    results?.set(result, (results.get(result) ?? 0) + by);
  }

  close(): void {
    this.#requester.close();
  }

  async #reply(event: Event, body: Json): Promise<string | undefined> {
    const breaker = this.#breakers.get(event);
    if (breaker?.enter() === false) {
      this.count(event, 'skipped');
      return undefined;
    }
    const end = await this.#turns.take(this.#options.timeoutMs, event === 'leave');
    if (end === undefined) {
      breaker?.gaveUp();
      this.#failed(event, 'waited', 'BACKEND_CONCURRENCY requests were in progress');
      return undefined;
    }
    try {
      return this.#heard(event, breaker, await this.#timed(event, body));
    } finally {
      end();
    }
  }

  async #timed(event: Event, body: Json): Promise<Reply> {
    const { clock } = this.#options;
    const sentAt = clock.elapsed();
    const reply = await this.#requester.post(body, event !== 'call');
    observe(this.figures.seconds, clock.elapsed() - sentAt);
    return reply;
  }

  #heard(event: Event, breaker: Breaker | undefined, reply: Reply): string | undefined {
    if (reply.kind === 'unreachable') {
      breaker?.failed();
      this.#failed(event, reply.isLate ? 'timeout' : 'failed', reply.reason);
      return undefined;
    }
    breaker?.answered();
    if (reply.kind === 'answer') return reply.text;
    this.#failed(event, 'failed', reply.reason);
    return undefined;
  }

  #failed(event: Event, result: Result, reason: string): void {
    this.count(event, result);
    this.#warnings.get(event)?.(reason);
  }

  #warningOf(event: Event): (reason: string) => void {
    const { clock, log, address } = this.#options;
    let reason = '';
    const warn = atMostOncePer(WARNING_MS, clock, () =>
      log.warn({ event, reason, origin: address.origin }, 'the backend did not decide; a failure counts'),
    );
    return (why) => {
      reason = why;
      warn();
    };
  }
}
