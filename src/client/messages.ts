import { type Off, Signal } from './signal.ts';
import type { Message } from './wire.ts';

/** What an application calls its messages, and what each kind of them carries. */
export type AnyEvents = Record<string, unknown>;

export type EventName<Events> = keyof Events & string;

/** The messages of a room or of a client, by the name of their event. */
export class Messages {
  readonly any = new Signal<[Message]>();
  readonly #named = new Map<string, Signal<[Message]>>();

  on(event: string, listener: (message: Message) => void): Off {
    const signal = this.#named.get(event) ?? new Signal();
    this.#named.set(event, signal);
    const off = signal.on(listener);
    return () => {
      off();
      if (!signal.heard && this.#named.get(event) === signal) this.#named.delete(event);
    };
  }

  get heard(): boolean {
    return this.any.heard || this.#named.size > 0;
  }

  emit(message: Message): void {
    // As the channel dialect names them: a message without an event has its type's name.
    this.#named.get(message.event ?? message.type)?.emit(message);
    this.any.emit(message);
  }
}

export interface SendOptions<Event extends string = string> {
  /** `chat` when it is left out; `notification` is a type of its own, any other name goes with a chat. */
  readonly event?: Event;
  /** Not kept in the room's history, for what is worth nothing a moment later (typing, cursors). */
  readonly ephemeral?: boolean;
}

/** The frame that publishes `data`, but for where it goes. */
export function publication(data: unknown, { event = 'chat', ephemeral }: SendOptions): object {
  const name =
    event === 'notification' ? { type: event } : { type: 'chat', ...(event !== 'chat' && { event }) };
  return { ...name, data, ...(ephemeral === true && { ephemeral }) };
}
