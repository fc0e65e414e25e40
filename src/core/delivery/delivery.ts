import type { Frame, Framer } from '../ports/socket.ts';
import { decodeBody, type Message } from '../../protocol/message.ts';
import type { PresenceEvent, ServerEvent } from '../../protocol/event.ts';
import type { Dialect, PublishedMessage } from '../../protocol/dialect.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Fleeting, Stored } from '../ports/broker.ts';
import { observe, type Tally } from '../base/tally.ts';

const TIMESTAMP = '"timestamp":"';
const ZERO = 48;

/**
 * One thing on its way to many connections. It is encoded and framed at most once for each dialect, when the first
 * connection needs it; every other one is handed the same bytes.
 */
export interface Delivery {
  /** Which listeners it is for, one bit of LISTEN. */
  readonly audience: number;
  /** Where history can bring it back; absent for what is delivered at most once. */
  readonly stored?: Stored | undefined;
  /** History will have it later, and then not again for those who were given it here. */
  readonly isProvisional?: boolean | undefined;
  /** Of a presence event: the user it is about. */
  readonly about?: string | undefined;
  /** Whether that user is gone. */
  readonly leaves?: boolean | undefined;
  /** Of a message: what `encodeBody` wrote. */
  readonly body?: string | undefined;
  /** Of a message that is traced: where it belongs (see ports/tracer.ts). */
  readonly trace?: string | undefined;
  /** Undefined where the dialect does not carry it. */
  frame(dialect: Dialect): Frame | undefined;
}

/**
 * A message that history holds. It names its provisional id, always: no pod knows what another one, which alone has lost
 * the history or only its answers, has delivered provisionally.
 */
export function storedDelivery(stored: Stored, framer: Framer): Delivery {
  const { id, body, provisionalId, trace } = stored;
  const frame = messageFrames(id, body, framer, provisionalId);
  return { audience: LISTEN.messages, stored, body, trace, frame };
}

/** A message that this pod's members get before the history has it. */
export function provisionalDelivery({ id, body, trace }: Fleeting, framer: Framer): Delivery {
  return { ...ephemeralDelivery(id, body, framer, trace), isProvisional: true };
}

/** A message that is delivered at most once. */
export function ephemeralDelivery(id: string, body: string, framer: Framer, trace?: string): Delivery {
  return { audience: LISTEN.messages, body, trace, frame: messageFrames(id, body, framer) };
}

export function presenceDelivery(event: PresenceEvent, framer: Framer): Delivery {
  const [about, leaves] = [event.member.userId, event.change === 'leave'];
  return {
    audience: LISTEN.presence,
    about,
    leaves,
    frame: frames((dialect) => dialect.event(event), framer),
  };
}

/** An event for all who listen to `audience`. */
export function eventDelivery(event: ServerEvent, audience: number, framer: Framer): Delivery {
  return { audience, frame: frames((dialect) => dialect.event(event), framer) };
}

/** Whether it is a message that nothing can bring back once it is dropped. */
export function isAtMostOnce(delivery: Delivery): boolean {
  const { audience, stored, isProvisional } = delivery;
  if (audience !== LISTEN.messages || tellsLoss(delivery)) return false;
  return stored === undefined && isProvisional !== true;
}

/** What members are told of messages that are missing. */
export function tellsLoss({ audience, body }: Delivery): boolean {
  return audience === LISTEN.messages && body === undefined;
}

/** Who is there now, or how many: it replaces what was known. */
export function tellsPresent({ audience, about }: Delivery): boolean {
  return (audience & LISTEN.messages) === 0 && about === undefined;
}

/** A message that history brings back, or what is said of such messages. */
export function comesFromHistory(delivery: Delivery): boolean {
  return delivery.stored !== undefined || tellsLoss(delivery);
}

/** Notes how long the messages took from when they were made; called once for each of them on each pod. */
export function observeDeliveries(deliveries: readonly Delivery[], now: number, tally: Tally): void {
  for (const { body } of deliveries) {
    const made = body === undefined ? undefined : madeAt(body);
    if (made !== undefined) observe(tally.publishToDeliver, now - made);
  }
}

/** When `encodeBody` wrote it, read in place: no text is cut out and nothing parsed for this alone. */
function madeAt(body: string): number | undefined {
  const at = body.lastIndexOf(TIMESTAMP) + TIMESTAMP.length;
  const made = Date.UTC(
    digits(body, at, 4),
    digits(body, at + 5, 2) - 1,
    digits(body, at + 8, 2),
    digits(body, at + 11, 2),
    digits(body, at + 14, 2),
    digits(body, at + 17, 2),
    digits(body, at + 20, 3),
  );
  return Number.isNaN(made) ? undefined : made;
}

/** A number in decimal digits; NaN where there is anything else. */
function digits(text: string, from: number, length: number): number {
  let number = 0;
  for (let at = from; at < from + length; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
  }
  return number;
}

function messageFrames(id: string, body: string, framer: Framer, provisionalId?: string): Delivery['frame'] {
  let known: Message | undefined;
  const decoded = (): Message => (known ??= decodeBody(id, body, provisionalId));
  const message = { id, body, provisionalId, decoded };
  return frames((dialect) => messageIn(dialect, message), framer);
}

/** Undefined also for a body that no pod of ours has written. */
function messageIn(dialect: Dialect, message: PublishedMessage): string | undefined {
  try {
    return dialect.message(message);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
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
