import type { Decoded } from './command.ts';
import type { Message } from './message.ts';
import type { ServerEvent } from './event.ts';

/** A published message on its way to sockets: its body is the message dialect's, decoded only where another needs it. */
export interface PublishedMessage {
  readonly id: string;
  readonly body: string;
  /** By which some may have it already. */
  readonly provisionalId?: string | undefined;
  decoded(): Message;
}

/**
 * A wire format. A dialect holds no state and knows nothing of connections; everything it writes is one text frame.
 */
export interface Dialect {
  readonly name: 'message' | 'channel' | 'guessed-channel';
  /** Its place in tables that hold one entry for each dialect. */
  readonly index: 0 | 1 | 2;
  /** Whether a member hears of a room from the moment it joins, and of global and direct messages unasked. */
  readonly hearsAll: boolean;
  /** Never throws: whatever the frame holds, the answer is a command or a listed error. */
  decode(frame: string): Decoded;
  message(message: PublishedMessage): string;
  /** Undefined where this dialect does not carry the event. */
  event(event: ServerEvent): string | undefined;
}
