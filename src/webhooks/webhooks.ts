import type { Unreported, Watcher, WatcherFigures } from '../core/ports/watcher.ts';
import { Courier, type CourierContext } from './courier.ts';
import type { PresenceChange } from '../core/ports/presence-store.ts';
import { eventsOf, type WebhookEvent } from './event.ts';
import { count } from '../core/base/tally.ts';

/** A batch goes out when it has so many events, or so many milliseconds after the first. */
const BATCH_EVENTS = 100;
const BATCH_MS = 500;
/** Events that may wait for the batch that is under way. */
const QUEUE_EVENTS = 10_000;
/** How long `stop` may take. */
const STOP_MS = 5_000;

export interface WebhooksContext extends CourierContext {
  /** A name that no other event has, on any pod. */
  readonly newId: () => string;
}

/**
 * Posts who comes and goes, in order, one request at a time, each event at least once unless the receiver is away for
 * longer than the retries or the queue last.
 */
export class Webhooks implements Watcher {
  readonly #context: WebhooksContext;
  readonly #courier: Courier;
  readonly #dropped = new Map<Unreported, number>();
  #queue: WebhookEvent[] = [];
  /** Events of the batch that is being posted. */
  #underWay = 0;
  #reported = 0;
  #work: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Whether it was said that events are dropped, since one was taken. */
  #complained = false;
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
      waiting: this.#queue.length + this.#underWay,
    };
  }

  changed(room: string, change: PresenceChange): void {
    const { clock, newId } = this.#context;
    const timestamp = new Date(clock.now()).toISOString();
    for (const told of eventsOf(change)) this.#put({ id: newId(), ...told, room, timestamp });
    this.#goOn();
  }

  /** Posts what waits without waiting for more; after five seconds gives up. What comes later is dropped. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    const cancel = this.#context.clock.after(STOP_MS, () => {
      this.#state = 'stopped';
      this.#courier.abort();
    });
    this.#courier.hurry();
    this.#goOn();
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
    if (this.#complained) return;
    this.#complained = true;
    this.#context.log.warn({ waiting: QUEUE_EVENTS }, 'too many webhook events wait; the oldest are dropped');
  }

  /** Posts the next batch if it is due, else sees to it that it will be. */
  #goOn(): void {
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
    this.#underWay = events.length;
    const fate = await this.#courier.deliver(JSON.stringify({ events }));
    this.#underWay = 0;
    if (fate === 'taken') {
      this.#reported += events.length;
      this.#complained = false;
    } else count(this.#dropped, fate, events.length);
    this.#work = undefined;
    this.#goOn();
  }
}
