import type { After, Connection, Membership } from './connection.ts';
import { count, type Tally } from './tally.ts';
import { type Delivery, storedDelivery } from './delivery.ts';
import type { Page, Stored } from './ports/broker.ts';
import { CLOSE } from '../protocol/close-codes.ts';
import type { Framer } from './ports/socket.ts';
import type { Hub } from './hub.ts';
import { LISTEN } from '../protocol/command.ts';
import type { Clock } from './ports/clock.ts';
import type { Missing } from '../protocol/event.ts';
import { isAtOrBefore } from './sequencer.ts';
import type { Limits } from './limits.ts';

interface CatchUpContext {
  readonly clock: Clock;
  readonly framer: Framer;
  readonly hub: Hub;
  readonly limits: Limits;
  readonly tally: Tally;
}

/**
 * Queues a page of history for one member alone, and then what a capture, begun before the page was read, holds
 * beyond it. The member hears the room itself from now on.
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

/** What was captured before such a message is, too: after a failover not all of them can be compared. */
function isWithin(stored: Stored | undefined, { messages, position }: Page): boolean {
  if (stored === undefined) return false;
  return isAtOrBefore(stored.id, position) || messages.some(({ id }) => id === stored.id);
}

function queue(membership: Membership, delivery: Delivery): void {
  const { connection, room, lag } = membership;
  // It came to lag over an earlier one: history brings this one too, in its turn.
  if (lag !== undefined && delivery.stored !== undefined) return;
  const bytes = connection.dialect === undefined ? undefined : delivery.frame(connection.dialect);
  if (bytes !== undefined) connection.send({ bytes, count: 1, deliveries: [delivery], room: room.name });
}

/**
 * Brings a connection that lagged and reads again up to date, page by page as fast as it reads. What history no
 * longer holds cannot be helped: the connection is closed with 1013, and its next `last_id` is told why.
 */
export async function catchUp(connection: Connection, context: CatchUpContext): Promise<void> {
  if (connection.catchingUp) return;
  connection.catchingUp = true;
  try {
    // Looked for anew after each page: another one may lag by then.
    while (!connection.closed && !connection.socket.congested) {
      const membership = connection.memberships.find(({ lag }) => lag !== undefined);
      if (membership?.lag === undefined) break;
      await catchUpPage(membership, membership.lag, context);
      connection.outbox.flush();
    }
  } finally {
    connection.catchingUp = false;
  }
}

async function catchUpPage(membership: Membership, lag: After, context: CatchUpContext): Promise<void> {
  const { connection, room } = membership;
  const capture = room.capture();
  try {
    // What is published after the page must be heard.
    await room.opened();
    const page = await room.read(lag, context.limits.outboxMessages);
    room.flush();
    if (connection.closed) return;
    if (!isListening(membership)) {
      membership.lag = undefined;
      return;
    }
    count(context.tally.recoveries, page.missing ?? 'recovered');
    if (page.missing !== undefined && membership.owed === undefined) {
      connection.close(CLOSE.overload);
      return;
    }
    membership.lag = undefined;
    const messages = page.messages.filter(
      (stored) => membership.owed === undefined || !room.hadProvisionally(stored),
    );
    // Once, though there may be more pages: the first begins where the member was left. Unless more is lost meanwhile.
    if (lag === membership.owed || page.missing !== undefined)
      tellRecovered(membership, page.missing, messages.length, context);
    const captured = page.more ? [] : capture.deliveries.filter(isUnheard(membership));
    replay(membership, { ...page, messages }, captured, context.framer);
    if (page.more) membership.lag ??= { after: page.position };
    else membership.owed = undefined;
  } finally {
    room.release(capture);
    context.hub.tidy(room);
  }
}

/** It may have left or stopped listening while history was read. */
function isListening(membership: Membership): boolean {
  const { connection, room, listen } = membership;
  return connection.membership(room.name) === membership && (listen & LISTEN.messages) !== 0;
}

/** What a member that lagged has not heard of what was captured meanwhile. */
function isUnheard({ room, owed }: Membership): (delivery: Delivery) => boolean {
  return ({ stored }) => stored !== undefined && (owed === undefined || !room.hadProvisionally(stored));
}

/** Answers what was left open when history could not be read (docs/protocol.md, "While Redis is away"). */
function tellRecovered(
  { connection, room }: Membership,
  reason: Missing | undefined,
  replayed: number,
  { clock }: CatchUpContext,
): void {
  const recovered = reason === undefined;
  connection.tell({ kind: 'recovered', room: room.name, recovered, reason, replayed, at: clock.now() });
}
