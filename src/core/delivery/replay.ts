import { MOST_CHARS, MOST_MESSAGES } from './recent-pages.ts';
import type { Page, Stored } from '../ports/broker.ts';
import type { Delivery } from './delivery.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Framer } from '../ports/socket.ts';
import type { Membership } from './membership.ts';
import { isAtOrBefore } from './sequencer.ts';

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
  const { connection, room } = membership;
  const { dialect } = connection;
  if (dialect === undefined) return;
  for (const parcel of room.recentPages.parcels(room.name, page.messages, dialect)) {
    // The member fell behind over an earlier parcel: the history brings the rest, in its turn.
    if (membership.mustRead) break;
    connection.send(parcel);
  }
  if (captured.length === 0) return;
  const reached = captured.findLastIndex(({ stored }) => isWithin(stored, page));
  const rest = captured.filter(({ stored }, index) => stored === undefined || index > reached);
  send(membership, dialect, rest, framer);
}

/**
 * Whether a message is in the page or before its end. The position alone does not tell: after a failover not all
 * compare.
 */
function isWithin(stored: Stored | undefined, { messages, position }: Page): boolean {
  if (stored === undefined) return false;
  return isAtOrBefore(stored.id, position) || messages.some(({ id }) => id === stored.id);
}

/** Sends deliveries in few parcels. */
function send(
  membership: Membership,
  dialect: Dialect,
  deliveries: readonly Delivery[],
  framer: Framer,
): void {
  const { connection, room } = membership;
  let [texts, carried, chars]: [string[], Delivery[], number] = [[], [], 0];
  const end = (): void => {
    if (texts.length === 0) return;
    const parcel = { bytes: framer.frames(texts), count: texts.length, deliveries: carried, room: room.name };
    [texts, carried, chars] = [[], [], 0];
    connection.send(parcel);
  };
  for (const delivery of deliveries) {
    // As above; messages that no history stores are sent nevertheless.
    if (membership.mustRead && delivery.stored !== undefined) continue;
    const text = delivery.text(dialect);
    if (text === undefined) continue;
    texts.push(text);
    carried.push(delivery);
    chars += text.length;
    if (texts.length >= MOST_MESSAGES || chars >= MOST_CHARS) end();
  }
  end();
}
