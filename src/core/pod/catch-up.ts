import type { After, Membership } from '../delivery/membership.ts';
import { count, type Tally } from '../base/tally.ts';
import { type Delivery, storedDelivery } from '../delivery/delivery.ts';
import type { Broker, Page, ReadFrom, Stored } from '../ports/broker.ts';
import type { Room } from '../delivery/room.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Framer } from '../ports/socket.ts';
import type { Hub } from './hub.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Missing } from '../../protocol/event.ts';
import { isAtOrBefore } from '../delivery/sequencer.ts';
import type { Limits } from '../base/limits.ts';

interface CatchUpContext {
  readonly broker: Broker;
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
  const { connection, room } = membership;
  // It fell behind over an earlier one: history brings this one too, in its turn.
  if (membership.mustRead && delivery.stored !== undefined) return;
  const bytes = connection.dialect === undefined ? undefined : delivery.frame(connection.dialect);
  if (bytes !== undefined) connection.send({ bytes, count: 1, deliveries: [delivery], room: room.name });
}

/**
 * Brings a connection that is behind, or owed history, up to date, page by page as fast as it reads. What history no
 * longer holds cannot be helped: one that is owed is told by a `recovered` event, and so is one that is behind where
 * Redis has lost something; where it read too slowly it is closed with 1013, and its next `last_id` is told why.
 */
export async function catchUp(connection: Connection, context: CatchUpContext): Promise<void> {
  if (connection.catchingUp) return;
  connection.catchingUp = true;
  try {
    // Looked for anew after each page: another one may be behind by then.
    while (!connection.closed && !connection.socket.congested) {
      const membership = connection.memberships.find(({ readsFrom }) => readsFrom !== undefined);
      if (membership?.readsFrom === undefined) break;
      await catchUpPage(connection, membership, membership.readsFrom, context);
      connection.outbox.flush();
    }
  } finally {
    connection.catchingUp = false;
  }
}

async function catchUpPage(
  connection: Connection,
  membership: Membership,
  from: After,
  context: CatchUpContext,
): Promise<void> {
  const { clock, hub, limits, tally } = context;
  const room = hub.openRoom(membership.room.name);
  const capture = room.capture();
  try {
    // What is published after the page must be heard.
    await room.opened();
    const { page, isNews, later } = await readPage(
      room,
      membership,
      readFrom(from, room, context),
      limits.outboxMessages,
    );
    room.flush();
    // It may have joined anew meanwhile, or be gone.
    if (connection.closed || membership.readsFrom !== from) return;
    if (!isListening(connection, membership)) {
      membership.abandon();
      return;
    }
    count(tally.recoveries, page.missing ?? 'recovered');
    if (membership.standing === 'behind' && page.missing !== undefined && page.missing !== 'history_lost') {
      connection.close(CLOSE.overload);
      return;
    }
    const messages = page.messages.filter((stored) => !room.wasGiven(stored, membership));
    if (isNews) tellRecovered(membership, page.missing, messages.length + later, clock);
    givePage(room, membership, { ...page, messages }, capture.deliveries, context.framer);
  } finally {
    room.release(capture);
    hub.tidy(room);
  }
}

interface NextPage {
  readonly page: Page;
  /** Whether the member is to be told what is missing, or that nothing is. */
  readonly isNews: boolean;
  /** How many messages follow the page; counted only where the member is to be told. */
  readonly later: number;
}

async function readPage(
  room: Room,
  membership: Membership,
  from: ReadFrom,
  limit: number,
): Promise<NextPage> {
  for (;;) {
    const { losses } = room;
    const page = await room.read(from, limit);
    const isNews = isToBeTold(membership, page.missing);
    const later = isNews && page.more ? await countRest(room, membership, page, limit) : 0;
    // A loss that the room found out about meanwhile was told to those who are live, and not to this member.
    if (room.losses === losses) return { page, isNews, later };
  }
}

function givePage(
  room: Room,
  membership: Membership,
  page: Page,
  captured: readonly Delivery[],
  framer: Framer,
): void {
  // Everything else of what was captured the member has heard itself.
  const unheard = captured.filter(({ stored }) => stored !== undefined && !room.wasGiven(stored, membership));
  membership.beginPage();
  replay(membership, page, page.more ? [] : unheard, framer);
  membership.endPage(page.more ? { after: page.position } : undefined);
}

/**
 * The history's clock may have been set since that moment, and nobody knows when. So the earlier time counts: what was
 * made after it may be timed by either, and rather is the member given some that were made before.
 */
function readFrom(from: After, { name }: Room, { broker, clock }: CatchUpContext): ReadFrom {
  if ('after' in from) return from;
  const passed = clock.elapsed() - from.sinceElapsed;
  return { since: Math.floor(Math.min(from.since, broker.now(name) - passed)) };
}

/** How many messages follow a page that the member does not have; only they are counted before they are given. */
async function countRest(room: Room, membership: Membership, first: Page, limit: number): Promise<number> {
  let rest = 0;
  for (let page = first; page.more;) {
    page = await room.read({ after: page.position }, limit);
    rest += page.messages.filter((stored) => !room.wasGiven(stored, membership)).length;
  }
  return rest;
}

/** It may have left or stopped listening while history was read. */
function isListening(connection: Connection, membership: Membership): boolean {
  const { room, listen } = membership;
  return connection.membership(room.name) === membership && (listen & LISTEN.messages) !== 0;
}

/**
 * Whether a page says something that the member does not know: to one that is owed history the first one does. Each
 * position before a loss has that loss behind it, so that it is said once and not with every page.
 */
function isToBeTold({ standing, told }: Membership, missing: Missing | undefined): boolean {
  if (told === undefined) return standing === 'owed' || missing === 'history_lost';
  return missing !== undefined && !(missing === 'history_lost' && told.missing === missing);
}

/** Answers what was left open when history could not be read (docs/protocol.md, "While Redis is unavailable"). */
function tellRecovered(
  membership: Membership,
  reason: Missing | undefined,
  replayed: number,
  clock: Clock,
): void {
  const { connection, room } = membership;
  membership.tell(reason);
  const recovered = reason === undefined;
  connection.tell({ kind: 'recovered', room: room.name, recovered, reason, replayed, at: clock.now() });
}
