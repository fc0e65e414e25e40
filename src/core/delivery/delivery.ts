import type { Frame, Framer } from '../ports/socket.ts';
import { decodeBody, type Message } from '../../protocol/message.ts';
import type { PresenceEvent, ServerEvent } from '../../protocol/event.ts';
import type { Dialect, PublishedMessage } from '../../protocol/dialect.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Fleeting, Stored } from '../ports/broker.ts';
import { observe, type Tally } from '../base/tally.ts';
import type { Clock } from '../ports/clock.ts';
import type { Timestamps } from '../base/timestamps.ts';

const TIMESTAMP = '"timestamp":"';

/**
 * A message or an event on its way to many connections. It is encoded and framed at most once per dialect, when the
 * first connection needs it; all others get the same bytes.
 */
export interface Delivery {
  /** The listeners it is for, one bit of LISTEN. */
  readonly audience: number;
  /** Set if the history can bring it again; absent for what is delivered at most once. */
  readonly stored?: Stored | undefined;
  /** The history will store it later; members that got it here do not get it again then. */
  readonly isProvisional?: boolean | undefined;
  /** The user that a presence event is about. */
  readonly about?: string | undefined;
  /** Whether that user left. */
  readonly leaves?: boolean | undefined;
  /** What `encodeBody` wrote, if it is a message. */
  readonly body?: string | undefined;
  /** The trace of a traced message (see ports/tracer.ts). */
  readonly trace?: string | undefined;
  /** Undefined if the dialect does not carry it. */
  frame(dialect: Dialect): Frame | undefined;
}

/**
 * A stored message. It always names its provisional id: a pod cannot know what another pod, which alone lost its
 * connection to the history, delivered provisionally.
 */
export function storedDelivery(stored: Stored, framer: Framer): Delivery {
  const { id, body, provisionalId, trace } = stored;
  const frame = messageFrames(id, body, framer, provisionalId);
  return { audience: LISTEN.messages, stored, body, trace, frame };
}

/** A message that the members on this pod get before the history stores it. */
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

/** An event for all members that listen to `audience`. */
export function eventDelivery(event: ServerEvent, audience: number, framer: Framer): Delivery {
  return { audience, frame: frames((dialect) => dialect.event(event), framer) };
}

/** Whether it is a message that nothing can bring again once it is dropped. */
export function isAtMostOnce(delivery: Delivery): boolean {
  const { audience, stored, isProvisional } = delivery;
  if (audience !== LISTEN.messages || tellsLoss(delivery)) return false;
  return stored === undefined && isProvisional !== true;
}

/** Whether it tells members that messages are missing. */
export function tellsLoss({ audience, body }: Delivery): boolean {
  return audience === LISTEN.messages && body === undefined;
}

/** Whether it lists or counts the present users, and so replaces what the client knew. */
export function tellsPresent({ audience, about }: Delivery): boolean {
  return (audience & LISTEN.messages) === 0 && about === undefined;
}

/** Whether it is a message that the history brings, or says something about such messages. */
export function comesFromHistory(delivery: Delivery): boolean {
  return delivery.stored !== undefined || tellsLoss(delivery);
}

/** What measures deliveries. */
interface DeliveryMeter {
  readonly clock: Clock;
  readonly tally: Tally;
  readonly timestamps: Timestamps;
}

/** Measures the time from publication to delivery; called once per message and pod. */
export function observeDeliveries(
  deliveries: readonly Delivery[],
  { clock, tally, timestamps }: DeliveryMeter,
): void {
  for (const { body } of deliveries) {
    if (body === undefined) continue;
    const published = timestamps.read(body, body.lastIndexOf(TIMESTAMP) + TIMESTAMP.length);
    if (published !== undefined) observe(tally.publishToDeliver, clock.now() - published);
  }
}

function messageFrames(id: string, body: string, framer: Framer, provisionalId?: string): Delivery['frame'] {
  let known: Message | undefined;
  const decoded = (): Message => (known ??= decodeBody(id, body, provisionalId));
  const message = { id, body, provisionalId, decoded };
  return frames((dialect) => messageIn(dialect, message), framer);
}

/** Undefined also for a body that no Crosspod pod wrote. */
function messageIn(dialect: Dialect, message: PublishedMessage): string | undefined {
  try {
    return dialect.message(message);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function frames(encode: (dialect: Dialect) => string | undefined, framer: Framer): Delivery['frame'] {
  const frameOf: (Frame | null | undefined)[] = [];
  return (dialect) => {
    const known = frameOf[dialect.index];
    if (known !== undefined) return known ?? undefined;
    const text = encode(dialect);
    const frame = text === undefined ? null : framer.frame(text);
    frameOf[dialect.index] = frame;
    return frame ?? undefined;
  };
}
