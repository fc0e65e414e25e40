import type { Unreported, WatcherFigures } from '../core/ports/watcher.ts';
import { Courier, type CourierContext } from './courier.ts';
import { count } from '../core/base/tally.ts';

/** A batch is posted when it has this many events or bytes, or this long after its first event. */
const BATCH_EVENTS = 100;
/** Many receivers take bodies of 100 KB at most. An event that is larger is posted alone. */
const BATCH_BYTES = 65_536;
const BATCH_MS = 500;
/** The maximum that waits while a batch is in flight. */
const QUEUE_EVENTS = 10_000;
const QUEUE_BYTES = 16_777_216;
/** The time limit of `flush`. */
const STOP_MS = 5_000;

/** An event as JSON, and its length in UTF-8. */
interface Waiting {
  readonly text: string;
  readonly bytes: number;
}

/**
 * Posts events in order, one request at a time, each event at least once. Events are dropped if the receiver is
 * unavailable for longer than the retries last, or if the queue overflows.
 */
export class EventQueue implements WatcherFigures {
  readonly #context: CourierContext;
  readonly #courier: Courier;
  readonly dropped = new Map<Unreported, number>();
  reported = 0;
  #queue: Waiting[] = [];
  #bytes = 0;
  /** Events of the batch in flight. */
  #inFlight = 0;
  #work: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whether the overflow was logged since the last accepted batch. */
  #overflowLogged = false;
  #state: 'open' | 'stopping' | 'stopped' = 'open';

  constructor(context: CourierContext) {
    this.#context = context;
    this.#courier = new Courier(context);
  }

  get retries(): number {
    return this.#courier.retries;
  }

  get waiting(): number {
    return this.#queue.length + this.#inFlight;
  }

  /** `events` are JSON. */
  put(events: readonly string[]): void {
    if (this.#state === 'stopped') {
      count(this.dropped, 'stopped', events.length);
      return;
    }
    for (const text of events) {
      const bytes = Buffer.byteLength(text);
      this.#queue.push({ text, bytes });
      this.#bytes += bytes;
    }
    this.#fit();
    this.#schedule();
  }

  /** Posts the waiting events at once, for five seconds at most, and from then on each event without delay. */
  async flush(): Promise<void> {
    if (this.#state === 'stopped') return;
    this.#state = 'stopping';
    const cancel = this.#context.clock.after(STOP_MS, () => {
      this.#state = 'stopped';
      this.#courier.abort();
    });
    this.#courier.hurry();
    this.#schedule();
    while (this.#work !== undefined) await this.#work;
    cancel();
  }

  /** Flushes, unless a flush has failed before, and drops the rest and all later events. */
  async stop(): Promise<void> {
    await this.flush();
    this.#state = 'stopped';
    count(this.dropped, 'stopped', this.#queue.length);
    this.#queue = [];
    this.#bytes = 0;
  }

  #fit(): void {
    const before = this.#queue.length;
    while (this.#queue.length > QUEUE_EVENTS || (this.#bytes > QUEUE_BYTES && this.#queue.length > 1))
      this.#bytes -= this.#queue.shift()?.bytes ?? 0;
    const dropped = before - this.#queue.length;
    count(this.dropped, 'overflow', dropped);
    if (dropped === 0 || this.#overflowLogged) return;
    this.#overflowLogged = true;
    const { events, log } = this.#context;
    const waiting = this.#queue.length;
    log.warn({ events, waiting }, 'too many webhook events wait; the oldest are dropped');
  }

  /** Posts the next batch if it is due, else sets a timer for it. */
  #schedule(): void {
    if (this.#work !== undefined || this.#queue.length === 0 || this.#state === 'stopped') return;
    const isFull = this.#queue.length >= BATCH_EVENTS || this.#bytes >= BATCH_BYTES;
    if (this.#state === 'stopping' || isFull) this.#start();
    else this.#cancelTimer ??= this.#context.clock.after(BATCH_MS, () => this.#start());
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#work = this.#postBatch();
  }

  async #postBatch(): Promise<void> {
    const events = this.#takeBatch();
    this.#inFlight = events.length;
    const outcome = await this.#courier.deliver(`{"events":[${events.join(',')}]}`);
    this.#inFlight = 0;
    if (outcome === 'accepted') {
      this.reported += events.length;
      this.#overflowLogged = false;
    } else count(this.dropped, outcome, events.length);
    this.#work = undefined;
    this.#schedule();
  }

  #takeBatch(): string[] {
    let [size, total] = [0, 0];
    for (const { bytes } of this.#queue) {
      if (size === BATCH_EVENTS || (size > 0 && total + bytes > BATCH_BYTES)) break;
      size += 1;
      total += bytes;
    }
    this.#bytes -= total;
    return this.#queue.splice(0, size).map(({ text }) => text);
  }
}
