import { eventsOf, messageEvent, type PresenceEvent } from './event.ts';
import type { ReportedMessage, Watcher, WatcherFigures } from '../core/ports/watcher.ts';
import type { CourierContext } from './courier.ts';
import { EventQueue } from './event-queue.ts';
import type { PresenceChange } from '../core/ports/presence-store.ts';
import type { RoomEvent } from '../core/ports/room-rules.ts';

export interface WebhooksContext extends Omit<CourierContext, 'events'> {
  /** Creates an event id that is unique among all pods. */
  readonly newId: () => string;
}

/** Posts joins, leaves and messages. Messages have a queue of their own, so that they cannot delay joins and leaves. */
export class Webhooks implements Watcher {
  readonly #context: WebhooksContext;
  readonly #presence: EventQueue;
  readonly #messages: EventQueue;
  readonly figures: { readonly presence: WatcherFigures; readonly messages: WatcherFigures };

  constructor(context: WebhooksContext) {
    this.#context = context;
    this.#presence = new EventQueue({ ...context, events: 'presence' });
    this.#messages = new EventQueue({ ...context, events: 'messages' });
    this.figures = { presence: this.#presence, messages: this.#messages };
  }

  changed(room: string, change: PresenceChange, wanted: ReadonlySet<RoomEvent>): void {
    const kinds = eventsOf(change).filter(({ type }) => wanted.has(type));
    if (kinds.length === 0) return;
    const { clock, newId } = this.#context;
    const timestamp = new Date(clock.now()).toISOString();
    const events = kinds.map((kind): PresenceEvent => ({ id: newId(), ...kind, room, timestamp }));
    this.#presence.put(events.map((event) => JSON.stringify(event)));
  }

  stored(room: string, id: string, message: ReportedMessage): void {
    this.#messages.put([messageEvent(room, id, message)]);
  }

  /** Posts at once what waits, for five seconds at most, and if that succeeds, from then on each event at once. */
  async flush(): Promise<void> {
    await Promise.all([this.#presence.flush(), this.#messages.flush()]);
  }

  /** Flushes, and drops the rest and all later events. */
  async stop(): Promise<void> {
    await Promise.all([this.#presence.stop(), this.#messages.stop()]);
  }
}
