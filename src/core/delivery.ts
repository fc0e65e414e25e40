import type { Frame, Framer } from './ports/socket.ts';
import { decodeBody, type Message } from '../protocol/message.ts';
import type { PresenceEvent, ServerEvent } from '../protocol/event.ts';
import type { Dialect } from '../protocol/dialect.ts';
import { LISTEN } from '../protocol/command.ts';
import type { Stored } from './ports/broker.ts';

/**
 * One thing on its way to many connections. It is encoded and framed at most once for each dialect, when the first
 * connection needs it; every other one is handed the same bytes.
 */
export interface Delivery {
  /** Which listeners it is for, one bit of LISTEN. */
  readonly audience: number;
  /** Where history can bring it back; absent for what is delivered at most once. */
  readonly stored?: Stored | undefined;
  /** Of a presence event: the user it is about. */
  readonly about?: string | undefined;
  /** Undefined where the dialect does not carry it. */
  frame(dialect: Dialect): Frame | undefined;
}

/** A message that history holds. */
export function storedDelivery(stored: Stored, framer: Framer): Delivery {
  return { audience: LISTEN.messages, stored, frame: messageFrames(stored.id, stored.body, framer) };
}

/** A message that is delivered at most once. */
export function ephemeralDelivery(id: string, body: string, framer: Framer): Delivery {
  return { audience: LISTEN.messages, frame: messageFrames(id, body, framer) };
}

export function presenceDelivery(event: PresenceEvent, framer: Framer): Delivery {
  const about = event.member.userId;
  return { audience: LISTEN.presence, about, frame: frames((dialect) => dialect.event(event), framer) };
}

/** An event for all who listen to `audience`. */
export function eventDelivery(event: ServerEvent, audience: number, framer: Framer): Delivery {
  return { audience, frame: frames((dialect) => dialect.event(event), framer) };
}

/** Whether it is a message that nothing can bring back once it is dropped. */
export function isAtMostOnce(delivery: Delivery): boolean {
  return delivery.audience === LISTEN.messages && delivery.stored === undefined;
}

function messageFrames(id: string, body: string, framer: Framer): Delivery['frame'] {
  let message: Message | undefined;
  const outgoing = { id, body, decoded: () => (message ??= decodeBody(id, body)) };
  return frames((dialect) => dialect.message(outgoing), framer);
}

function frames(encode: (dialect: Dialect) => string | undefined, framer: Framer): Delivery['frame'] {
  const made: (Frame | null | undefined)[] = [];
  return (dialect) => {
    const known = made[dialect.index];
    if (known !== undefined) return known ?? undefined;
    const text = encode(dialect);
    const frame = text === undefined ? null : framer.frame(text);
    made[dialect.index] = frame;
    return frame ?? undefined;
  };
}
