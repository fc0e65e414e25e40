import { type Off, Signal } from './signal.ts';
import type { Message } from './wire.ts';

/** Maps the names of an application's events to the type of `data` in their messages. This one allows any. */
export type AnyEvents = Record<string, unknown>;

/** @inline */
export type EventName<Events> = keyof Events & string;

/** Passes the messages of a room, or of a client, to the listeners of their event. */
export class Messages {
  /** Emits every message. */
  readonly any = new Signal<[Message]>();
  readonly #byEvent = new Map<string, Signal<[Message]>>();

  on(event: string, listener: (message: Message) => void): Off {
    const signal = this.#byEvent.get(event) ?? new Signal();
    this.#byEvent.set(event, signal);
    const off = signal.on(listener);
    return () => {
      off();
      if (!signal.hasListeners && this.#byEvent.get(event) === signal) this.#byEvent.delete(event);
    };
  }

  get hasListeners(): boolean {
    return this.any.hasListeners || this.#byEvent.size > 0;
  }

  emit(message: Message): void {
    // A message without an event goes by its type, as in the channel dialect.
    this.#byEvent.get(message.event ?? message.type)?.emit(message);
    this.any.emit(message);
  }
}

/** Options of `send`, `sendTo` and `broadcast`. */
export interface SendOptions<Event extends string = string> {
  /**
   * The name of the event, `chat` by default. `notification` is a message type of its own; any other name is sent as
   * the event of a chat.
   */
  readonly event?: Event;
  /** If true, the server does not store the message. Use it for typing indicators, cursors and the like. */
  readonly ephemeral?: boolean;
}

/** The fields of the frame that publishes `data`, except for its destination. */
export function publishFields(data: unknown, { event = 'chat', ephemeral }: SendOptions): object {
  const name =
    event === 'notification' ? { type: event } : { type: 'chat', ...(event !== 'chat' && { event }) };
  return { ...name, data, ...(ephemeral === true && { ephemeral }) };
}
