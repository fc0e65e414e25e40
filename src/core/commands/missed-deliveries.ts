import type { Capture, Room } from '../delivery/room.ts';
import { type Delivery, tellsPresent } from '../delivery/delivery.ts';
import type { Member } from '../../protocol/event.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Page } from '../ports/broker.ts';

/**
 * The missed deliveries that the new member listens to. It is not told about its own user, unless the list in its
 * answer lacks the user, or an older list that the room was told meanwhile follows.
 */
export function listenedTo(
  { connection, listen }: Membership,
  missed: readonly Delivery[],
  members: readonly Member[] | undefined,
): Delivery[] {
  const isListed = members?.some(({ userId }) => userId === connection.userId) ?? true;
  const older = missed.findLastIndex(tellsPresent);
  const isToldAfter = (index: number): boolean => older !== -1 && index > older;
  return missed.filter(
    (delivery, index) =>
      (delivery.audience & listen) !== 0 &&
      !(isListed && delivery.about === connection.userId && !isToldAfter(index)),
  );
}

/**
 * What the members have and the page lacks: messages that the history does not store yet, and what was delivered since
 * the page was read. A provisional message that the history stores by now comes from the history.
 */
export function missedBy(room: Room, { messages }: Page, capture: Capture): Delivery[] {
  const provisional = Array.from(room.history.provisional());
  const ids = provisional.length === 0 ? [] : messages.map(({ provisionalId }) => provisionalId);
  const read = new Set(ids);
  const pending = new Set<Delivery>();
  for (const [id, delivery] of provisional) if (!read.has(id)) pending.add(delivery);
  const captured = capture.deliveries.filter(
    (delivery) => delivery.isProvisional !== true || pending.has(delivery),
  );
  for (const delivery of captured) pending.delete(delivery);
  return [...pending, ...captured];
}
