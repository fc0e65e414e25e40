import { count, type Tally } from './tally.ts';
import type { OutboxContext } from './outbox.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import type { Delivery } from './delivery.ts';
import { LISTEN } from '../protocol/command.ts';
import type { Parcel } from './outbox.ts';

/**
 * Makes room in the outbox of a connection that does not read. What history can bring back is taken out and the
 * membership marked as lagging, messages that are delivered at most once are dropped and counted, all else stays. If
 * that is still too much the connection is closed with 1013: nobody else waits for it.
 */
export function shed(connection: Connection, { tally, turn }: OutboxContext): void {
  count(tally.dropped, 'lagging');
  for (const parcel of connection.outbox.takeAll()) {
    if (parcel.deliveries === undefined) connection.outbox.push(parcel);
    else for (const delivery of parcel.deliveries) keepOrShed(connection, parcel, delivery, tally);
  }
  if (!connection.outbox.overflowed) return;
  connection.outbox.close();
  // Not at once: a room may be in the middle of its members.
  turn.addAnswer({ flush: () => connection.close(CLOSE.overload) });
}

function keepOrShed(connection: Connection, { room }: Parcel, delivery: Delivery, tally: Tally): void {
  if (delivery.stored !== undefined) {
    const membership = room === undefined ? undefined : connection.membership(room);
    if (membership !== undefined) membership.lag ??= { after: delivery.stored.prev };
  } else if (delivery.audience === LISTEN.messages) {
    count(tally.dropped, 'ephemeral');
  } else if (connection.dialect !== undefined) {
    const bytes = delivery.frame(connection.dialect);
    if (bytes !== undefined) connection.outbox.push({ bytes, count: 1 });
  }
}
