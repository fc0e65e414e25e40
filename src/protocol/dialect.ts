import type { Decoded } from './command.ts';
import type { Message } from './message.ts';
import type { ServerEvent } from './event.ts';

/** A published message on its way to sockets. Its body is that of the message dialect; other dialects decode it. */
export interface PublishedMessage {
  readonly id: string;
  readonly body: string;
  /** The id under which clients may have received it already. */
  readonly provisionalId?: string | undefined;
  decoded(): Message;
}

/** A wire format. It has no state; everything it encodes is one text frame. */
export interface Dialect {
  readonly name: 'message' | 'channel' | 'guessed-channel';
  /** Its index in arrays that hold one entry per dialect. */
  readonly index: 0 | 1 | 2;
  /**
   * Whether a join subscribes to everything in the room, and direct and global messages come without a subscription.
   */
  readonly hearsAll: boolean;
  /** Never throws. */
  decode(frame: string): Decoded;
  message(message: PublishedMessage): string;
  /** Undefined if this dialect has no frame for the event. */
  event(event: ServerEvent): string | undefined;
}
