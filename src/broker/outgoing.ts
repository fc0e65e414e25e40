import type { Published } from '../core/ports/broker.ts';
import { Away, ignored } from '../redis/away.ts';

/** What is to be published. */
export interface Draft {
  readonly room: string;
  readonly body: string;
  readonly key: string | undefined;
  readonly trace: string | undefined;
  /** Its name until it has a position: made from room and key where there is one, else like no other. */
  readonly provisionalId: string;
}

/** A publication on its way to Redis. */
export interface Publication extends Draft {
  /** The pod's members have it already. */
  provisional: boolean;
  /** When it was first sent, by Redis's clock: it may have been taken then without our hearing of it. */
  sentAt: number | undefined;
}

interface Waiting extends Publication {
  state: 'waits' | 'sent';
  /** For whoever published. */
  readonly answered: PromiseWithResolvers<Published>;
  /** Made when it is answered before Redis has it. */
  settled: PromiseWithResolvers<Published> | undefined;
}

export interface OutgoingOptions {
  /** Sends one; raises Away, or an error that will not pass. */
  readonly send: (publication: Publication) => Promise<Published>;
  readonly isUp: () => boolean;
  readonly now: () => number;
  /** Gives it to this pod's members, since the others must wait. */
  readonly deliver: (publication: Publication) => void;
  /** One that was delivered so is refused, or history has had it under this id. */
  readonly forget: (publication: Publication, id?: string) => void;
  /** Resolves after a pause, longer with each failed attempt in a row. */
  readonly pause: (attempt: number) => Promise<void>;
  readonly mostMessages: number;
  readonly mostChars: number;
}

/** Beyond what may wait, so many may be sent without an answer. */
const MOST_SENT = 10_000;
/** How many that have waited are sent before the answer to the first is awaited. */
const CHUNK = 500;

/**
 * Publications between a client and Redis, in the order in which they were made. While Redis takes them each is sent
 * at once; while it is away they wait here, as many as there is room for, and this pod's members have them already.
 */
export class Outgoing {
  readonly #options: OutgoingOptions;
  /** Oldest first; gone once Redis has it. */
  readonly #queue = new Set<Waiting>();
  /** Those of them that are not provisional (yet). */
  readonly #undelivered = new Set<Waiting>();
  readonly #byName = new Map<string, Waiting>();
  #chars = 0;
  #waits = 0;
  #pumping: Promise<void> | undefined;
  /** Attempts that failed, since the start. */
  failures = 0;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Publications that wait for Redis. */
  get waiting(): number {
    return this.#waits;
  }

  /** Raises Away where no more can wait. */
  publish(draft: Draft): Promise<Published> {
    const { provisionalId: id } = draft;
    const same = this.#byName.get(id)?.settled;
    if (same !== undefined) return Promise.resolve({ id, duplicate: true, settled: same.promise });
    if (this.#isFull()) return Promise.reject(new Away('as many publications wait as may'));
    const answered = Promise.withResolvers<Published>();
    const one: Waiting = {
      ...draft,
      provisional: false,
      sentAt: undefined,
      state: 'waits',
      answered,
      settled: undefined,
    };
    this.#queue.add(one);
    this.#undelivered.add(one);
    this.#byName.set(id, one);
    this.#chars += one.body.length;
    this.#waits += 1;
    if (this.#mustWait(one)) this.#hold(one);
    else void this.#send(one);
    return answered.promise;
  }

  /** Redis is there: what waits goes out, in order. */
  pump(): Promise<void> {
    this.#pumping ??= this.#sendAll().finally(() => {
      this.#pumping = undefined;
      // One may have come back to wait at the very end.
      if (this.#waits > 0 && this.#options.isUp()) void this.pump();
    });
    return this.#pumping;
  }

  async #sendAll(): Promise<void> {
    for (let attempt = 1; this.#waits > 0;) {
      if (!this.#options.isUp()) break;
      const before = this.#waits;
      await Promise.all(this.#next().map((one) => this.#send(one)));
      if (this.#waits < before) attempt = 1;
      else await this.#options.pause(attempt++);
    }
  }

  #isFull(): boolean {
    const { mostMessages, mostChars } = this.#options;
    const most = this.#mustWait() ? mostMessages : mostMessages + MOST_SENT;
    return this.#queue.size >= most || this.#chars >= mostChars;
  }

  /** Whether Redis is away, or something that came before (or beside) this one waits. */
  #mustWait(one?: Waiting): boolean {
    return this.#waits > (one === undefined ? 0 : 1) || !this.#options.isUp();
  }

  #next(): Waiting[] {
    const next: Waiting[] = [];
    for (const one of this.#queue) {
      if (one.state === 'waits') next.push(one);
      if (next.length === CHUNK) break;
    }
    return next;
  }

  async #send(one: Waiting): Promise<void> {
    one.state = 'sent';
    this.#waits -= 1;
    // What `send` reads of it is what was true until now.
    const sent = this.#options.send(one);
    one.sentAt ??= this.#options.now();
    try {
      this.#end(one, await sent);
    } catch (error) {
      this.failures += 1;
      if (error instanceof Away) this.#hold(one, true);
      else this.#fail(one, error as Error);
    }
  }

  #end(one: Waiting, published: Published): void {
    this.#forget(one);
    if (one.provisional && published.duplicate) this.#options.forget(one, published.id);
    one.answered.resolve(published);
    one.settled?.resolve(published);
    this.#deliverHeld();
  }

  #fail(one: Waiting, error: Error): void {
    this.#forget(one);
    if (one.provisional) this.#options.forget(one);
    // Nothing happens where it was answered provisionally.
    one.answered.reject(error);
    one.settled?.reject(error);
    this.#deliverHeld();
  }

  /** It has to wait; whoever published need not. */
  #hold(one: Waiting, wasSent = false): void {
    one.state = 'waits';
    if (wasSent) this.#waits += 1;
    this.#deliverHeld();
    if (this.#options.isUp()) void this.pump();
  }

  /** In order: while an earlier one may still be taken or come back to wait, a later one is not delivered. */
  #deliverHeld(): void {
    for (const one of this.#undelivered) {
      if (one.state === 'sent') return;
      this.#undelivered.delete(one);
      one.provisional = true;
      one.settled = Promise.withResolvers();
      const { promise: settled } = one.settled;
      // Nobody may be waiting for it.
      settled.catch(ignored);
      this.#options.deliver(one);
      one.answered.resolve({ id: one.provisionalId, duplicate: false, settled });
    }
  }

  #forget(one: Waiting): void {
    this.#queue.delete(one);
    this.#undelivered.delete(one);
    this.#byName.delete(one.provisionalId);
    this.#chars -= one.body.length;
  }
}
