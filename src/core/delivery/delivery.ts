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
  /** The text of its frame; undefined if the dialect does not carry it. */
  text(dialect: Dialect): string | undefined;
  /** The frame; the same bytes for every connection. */
  frame(dialect: Dialect): Frame | undefined;
}

/**
 * A stored message. It always names its provisional id: a pod cannot know what another pod, which alone lost its
 * connection to the history, delivered provisionally.
 */
export function storedDelivery(stored: Stored, framer: Framer): Delivery {
  return new MessageDelivery(stored, framer, stored);
}

/** A message that the members on this pod get before the history stores it. */
export function provisionalDelivery(message: Fleeting, framer: Framer): Delivery {
  return new MessageDelivery(message, framer, undefined, true);
}

/** A message that is delivered at most once. */
export function ephemeralDelivery(id: string, body: string, framer: Framer, trace?: string): Delivery {
  return new MessageDelivery({ id, body, trace }, framer);
}

export function presenceDelivery(event: PresenceEvent, framer: Framer): Delivery {
  const { userId } = event.member;
  return new EventDelivery(event, LISTEN.presence, framer, userId, event.change === 'leave');
}

/** An event for all members that listen to `audience`. */
export function eventDelivery(event: ServerEvent, audience: number, framer: Framer): Delivery {
  return new EventDelivery(event, audience, framer);
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

/**
 * Encodes and frames once per dialect. A class, since an object of closures would cost each message several of them.
 */
abstract class FramedDelivery implements Delivery {
  readonly audience: number;
  readonly #framer: Framer;
  /** Nearly always one dialect asks, so only a second one needs an array. */
  #dialect: Dialect | undefined;
  #frame: Frame | undefined;
  #others: { readonly dialect: Dialect; readonly frame: Frame | undefined }[] | undefined;

  constructor(audience: number, framer: Framer) {
    this.audience = audience;
    this.#framer = framer;
  }

  abstract text(dialect: Dialect): string | undefined;

  frame(dialect: Dialect): Frame | undefined {
    if (dialect === this.#dialect) return this.#frame;
    const known = this.#others?.find((other) => other.dialect === dialect);
    if (known !== undefined) return known.frame;
    const text = this.text(dialect);
    const frame = text === undefined ? undefined : this.#framer.frame(text);
    if (this.#dialect === undefined) [this.#dialect, this.#frame] = [dialect, frame];
    else (this.#others ??= []).push({ dialect, frame });
    return frame;
  }
}

class MessageDelivery extends FramedDelivery implements PublishedMessage {
  readonly id: string;
  readonly body: string;
  readonly provisionalId: string | undefined;
  readonly trace: string | undefined;
  readonly stored: Stored | undefined;
  readonly isProvisional: boolean;
  #decoded: Message | undefined;

  constructor({ id, body, trace }: Fleeting, framer: Framer, stored?: Stored, isProvisional = false) {
    super(LISTEN.messages, framer);
    this.id = id;
    this.body = body;
    this.trace = trace;
    this.stored = stored;
    this.provisionalId = stored?.provisionalId;
    this.isProvisional = isProvisional;
  }

  decoded(): Message {
    return (this.#decoded ??= decodeBody(this.id, this.body, this.provisionalId));
  }

  /** Undefined also for a body that no Crosspod pod wrote. */
  text(dialect: Dialect): string | undefined {
    try {
      return dialect.message(this);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

class EventDelivery extends FramedDelivery {
  readonly about: string | undefined;
  readonly leaves: boolean | undefined;
  readonly #event: ServerEvent;

  constructor(event: ServerEvent, audience: number, framer: Framer, about?: string, leaves?: boolean) {
    super(audience, framer);
    this.#event = event;
    this.about = about;
    this.leaves = leaves;
  }

  text(dialect: Dialect): string | undefined {
    return dialect.event(this.#event);
  }
}
