import type { Page, Stored } from '../ports/broker.ts';
import { type Delivery, storedDelivery } from './delivery.ts';
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
  for (const stored of page.messages) queue(membership, storedDelivery(stored, framer));
  const reached = captured.findLastIndex(({ stored }) => isWithin(stored, page));
  for (const [index, delivery] of captured.entries()) {
    if (delivery.stored === undefined || index > reached) queue(membership, delivery);
  }
}

/** Whether a message is in the page or before its end. The position alone does not tell: after a failover not all compare. */
function isWithin(stored: Stored | undefined, { messages, position }: Page): boolean {
  if (stored === undefined) return false;
  return isAtOrBefore(stored.id, position) || messages.some(({ id }) => id === stored.id);
}

function queue(membership: Membership, delivery: Delivery): void {
  const { connection, room } = membership;
  // The member fell behind over an earlier message: the history brings this one too, in its turn.
  if (membership.mustRead && delivery.stored !== undefined) return;
  const bytes = connection.dialect === undefined ? undefined : delivery.frame(connection.dialect);
  if (bytes !== undefined) connection.send({ bytes, count: 1, deliveries: [delivery], room: room.name });
}
