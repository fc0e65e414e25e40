import type { Unreported, Watcher, WatcherFigures } from '../core/ports/watcher.ts';
import { Courier, type CourierContext } from './courier.ts';
import type { PresenceChange } from '../core/ports/presence-store.ts';
import { eventsOf, type WebhookEvent } from './event.ts';
import { count } from '../core/base/tally.ts';

/** A batch is posted when it has this many events, or this long after its first event. */
const BATCH_EVENTS = 100;
const BATCH_MS = 500;
/** The maximum number of events that wait while a batch is in flight. */
const QUEUE_EVENTS = 10_000;
/** The time limit of `stop`. */
const STOP_MS = 5_000;

export interface WebhooksContext extends CourierContext {
  /** Creates an event id that is unique among all pods. */
  readonly newId: () => string;
}

/**
 * Posts joins and leaves in order, one request at a time, each event at least once. Events are dropped if the receiver
 * is unavailable for longer than the retries last, or if the queue overflows.
 */
export class Webhooks implements Watcher {
  readonly #context: WebhooksContext;
  readonly #courier: Courier;
  readonly #dropped = new Map<Unreported, number>();
  #queue: WebhookEvent[] = [];
  /** Events of the batch in flight. */
  #inFlight = 0;
  #reported = 0;
  #work: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whether the overflow was logged since the last accepted batch. */
  #overflowLogged = false;
  #state: 'open' | 'stopping' | 'stopped' = 'open';

  constructor(context: WebhooksContext) {
    this.#context = context;
    this.#courier = new Courier(context);
  }

  get figures(): WatcherFigures {
    return {
      reported: this.#reported,
      dropped: this.#dropped,
      retries: this.#courier.retries,
      waiting: this.#queue.length + this.#inFlight,
    };
  }

  changed(room: string, change: PresenceChange): void {
    const { clock, newId } = this.#context;
    const timestamp = new Date(clock.now()).toISOString();
    for (const event of eventsOf(change)) this.#put({ id: newId(), ...event, room, timestamp });
    this.#schedule();
  }

  /** Posts the waiting events at once, for five seconds at most, and drops the rest and all later events. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    const cancel = this.#context.clock.after(STOP_MS, () => {
      this.#state = 'stopped';
      this.#courier.abort();
    });
    this.#courier.hurry();
    this.#schedule();
    while (this.#work !== undefined) await this.#work;
    cancel();
    this.#state = 'stopped';
    count(this.#dropped, 'stopped', this.#queue.length);
    this.#queue = [];
  }

  #put(event: WebhookEvent): void {
    if (this.#state === 'stopped') {
      count(this.#dropped, 'stopped');
      return;
    }
    this.#queue.push(event);
    if (this.#queue.length <= QUEUE_EVENTS) return;
    this.#queue.shift();
    count(this.#dropped, 'overflow');
    if (this.#overflowLogged) return;
    this.#overflowLogged = true;
    this.#context.log.warn({ waiting: QUEUE_EVENTS }, 'too many webhook events wait; the oldest are dropped');
  }

  /** Posts the next batch if it is due, else sets a timer for it. */
  #schedule(): void {
    if (this.#work !== undefined || this.#queue.length === 0 || this.#state === 'stopped') return;
    if (this.#state === 'stopping' || this.#queue.length >= BATCH_EVENTS) this.#start();
    else this.#cancelTimer ??= this.#context.clock.after(BATCH_MS, () => this.#start());
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#work = this.#postBatch();
  }

  async #postBatch(): Promise<void> {
    const events = this.#queue.splice(0, BATCH_EVENTS);
    this.#inFlight = events.length;
    const outcome = await this.#courier.deliver(JSON.stringify({ events }));
    this.#inFlight = 0;
    if (outcome === 'accepted') {
      this.#reported += events.length;
      this.#overflowLogged = false;
    } else count(this.#dropped, outcome, events.length);
    this.#work = undefined;
    this.#schedule();
  }
}
