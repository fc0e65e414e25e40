import type { Page, Stored } from '../ports/broker.ts';
import { type Delivery, storedDelivery } from './delivery.ts';
import type { Framer } from '../ports/socket.ts';
import type { Membership } from './membership.ts';
import { isAtOrBefore } from './sequencer.ts';

/** Bounds of one parcel: an outbox can take some parcels of a page and leave the rest, and no parcel is large. */
const MOST_MESSAGES = 50;
const MOST_CHARS = 65_536;

/**
 * Queues a page of the history for one member, and then what a capture, begun before the page was read, holds beyond
 * the page. From now on the member gets the messages of the room itself.
 */
export function replay(
  membership: Membership,
  page: Page,
  captured: readonly Delivery[],
  framer: Framer,
): void {
  const deliveries = page.messages.map((stored) => storedDelivery(stored, framer));
  const reached = captured.findLastIndex(({ stored }) => isWithin(stored, page));
  for (const [index, delivery] of captured.entries()) {
    if (delivery.stored === undefined || index > reached) deliveries.push(delivery);
  }
  queue(membership, deliveries, framer);
}

/**
 * Whether a message is in the page or before its end. The position alone does not tell: after a failover not all
 * compare.
 */
function isWithin(stored: Stored | undefined, { messages, position }: Page): boolean {
  if (stored === undefined) return false;
  return isAtOrBefore(stored.id, position) || messages.some(({ id }) => id === stored.id);
}

/** Queues deliveries in few parcels: a frame and a parcel for each would cost a resume most of its memory. */
function queue(membership: Membership, deliveries: readonly Delivery[], framer: Framer): void {
  const { dialect } = membership.connection;
  if (dialect === undefined) return;
  let [texts, carried, chars]: [string[], Delivery[], number] = [[], [], 0];
  for (const delivery of deliveries) {
    // The member fell behind over an earlier message: the history brings the stored ones too, in their turn.
    if (membership.mustRead && delivery.stored !== undefined) continue;
    const text = delivery.text(dialect);
    if (text === undefined) continue;
    texts.push(text);
    carried.push(delivery);
    chars += text.length;
    if (texts.length < MOST_MESSAGES && chars < MOST_CHARS) continue;
    send(membership, texts, carried, framer);
    [texts, carried, chars] = [[], [], 0];
  }
  if (texts.length > 0) send(membership, texts, carried, framer);
}

function send(
  { connection, room }: Membership,
  texts: readonly string[],
  deliveries: readonly Delivery[],
  framer: Framer,
): void {
  connection.send({ bytes: framer.frames(texts), count: texts.length, deliveries, room: room.name });
}
