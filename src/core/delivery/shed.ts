import { count, type Tally } from '../base/tally.ts';
import { CLOSE, type CloseCode } from '../../protocol/close-codes.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Membership } from './membership.ts';
import { type Delivery, isAtMostOnce } from './delivery.ts';
import type { Outbox, OutboxContext, Parcel } from './outbox.ts';

/** A connection whose outbox holds more than its limits allow. */
interface Overflowing {
  readonly outbox: Outbox;
  readonly dialect: Dialect | undefined;
  membership(room: string): Membership | undefined;
  close(code: CloseCode): void;
}

/**
 * Makes room in the outbox of a client that does not read. Messages that the history can bring again are removed and
 * the member falls behind; messages that are delivered at most once are dropped and counted; everything else stays. If
 * that is still too much, the connection is closed with 1013, so that no other client waits for it. It also closes if a
 * provisional message would be dropped: the history will not bring that again to a member that was in the room.
 */
export function shed(connection: Overflowing, { tally, turn }: OutboxContext): void {
  count(tally.dropped, 'lagging');
  let losesMessages = false;
  for (const parcel of connection.outbox.takeAll()) {
    const { deliveries } = parcel;
    if (deliveries === undefined) connection.outbox.push(parcel);
    else for (const delivery of deliveries) keepOrShed(connection, parcel, delivery, tally);
    losesMessages ||= deliveries?.some(({ isProvisional }) => isProvisional) ?? false;
  }
  if (!losesMessages && !connection.outbox.overflowed) return;
  connection.outbox.close();
  // Closed later: a room may be amid its members.
  turn.addAnswer({ flush: () => connection.close(CLOSE.overload) });
}

function keepOrShed(connection: Overflowing, { room }: Parcel, delivery: Delivery, tally: Tally): void {
  if (delivery.stored !== undefined) {
    const membership = room === undefined ? undefined : connection.membership(room);
    membership?.fallBehind({ after: delivery.stored.prev });
  } else if (isAtMostOnce(delivery)) {
    count(tally.dropped, 'ephemeral');
  } else if (connection.dialect !== undefined) {
    const bytes = delivery.frame(connection.dialect);
    if (bytes !== undefined) connection.outbox.push({ bytes, count: 1 });
  }
}
