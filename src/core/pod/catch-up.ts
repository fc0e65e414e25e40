import type { After, Membership } from '../delivery/membership.ts';
import type { Broker, Page, ReadFrom } from '../ports/broker.ts';
import { count, type Tally } from '../base/tally.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Framer } from '../ports/socket.ts';
import type { Hub } from './hub.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Limits } from '../base/limits.ts';
import type { Log } from '../ports/log.ts';
import type { Missing } from '../../protocol/event.ts';
import type { Room } from '../delivery/room.ts';
import { isUnavailable } from '../base/refused.ts';
import { replay } from '../delivery/replay.ts';

interface CatchUpContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly framer: Framer;
  readonly hub: Hub;
  readonly limits: Limits;
  readonly tally: Tally;
  readonly log: Log;
}

/** Brings rooms, and members that are behind or owed history, up to date (docs/recovery.md). */
export class CatchUp {
  readonly #context: CatchUpContext;
  readonly #underWay = new Set<Connection>();

  constructor(context: CatchUpContext) {
    this.#context = context;
  }

  /**
   * Brings a room up to date, and then its members that are behind or owed history. `newest` is the newest position of
   * the room, if it is known. The broker names the room again if this cannot be done now.
   */
  async room(room: Room, newest?: string): Promise<void> {
    const { hub, log } = this.#context;
    const failed = (error: unknown): void => {
      if (!isUnavailable(error)) log.error({ err: error }, 'a room could not be brought up to date');
    };
    for (const member of room.members()) member.becomeDue();
    await room.history.bringUpToDate(newest).catch(failed);
    for (const { readsFrom, connection: recipient } of room.members()) {
      const connection = readsFrom === undefined ? undefined : hub.connection(recipient.connectionId);
      if (connection?.socket.congested === false) this.connection(connection).catch(failed);
    }
  }

  /**
   * Brings all memberships of a connection up to date, page by page, as fast as the client reads. The client is told
   * what the history no longer holds: a member that is owed history, or whose room lost something, by a `recovered`
   * event; a member that read too slowly by a close with 1013, and when it resumes.
   */
  async connection(connection: Connection): Promise<void> {
    if (this.#underWay.has(connection)) return;
    this.#underWay.add(connection);
    try {
      while (!connection.closed && !connection.socket.congested) {
        // Looked for after each page, since another membership may have fallen behind.
        const membership = connection.memberships.find(({ readsFrom }) => readsFrom !== undefined);
        if (membership?.readsFrom === undefined) break;
        await giveNextPage(connection, membership, membership.readsFrom, this.#context);
        connection.outbox.flush();
      }
    } finally {
      this.#underWay.delete(connection);
    }
  }
}

async function giveNextPage(
  connection: Connection,
  membership: Membership,
  from: After,
  context: CatchUpContext,
): Promise<void> {
  const { clock, hub, limits, tally } = context;
  const room = hub.openRoom(membership.room.name);
  const capture = room.capture();
  try {
    // The pod must be subscribed before it reads, or messages between the page and the subscription would be missed.
    await room.history.opened();
    const start = readFrom(from, room, context);
    const { page, isNews, later } = await readPage(room, membership, start, limits.outboxMessages);
    room.flush();
    // The member may have joined again meanwhile, or be gone.
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
    const messages = page.messages.filter((stored) => !room.history.wasGiven(stored, membership));
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
  /** How many messages follow the page; counted only if the member is to be told. */
  readonly later: number;
}

async function readPage(
  room: Room,
  membership: Membership,
  from: ReadFrom,
  limit: number,
): Promise<NextPage> {
  for (;;) {
    const { losses } = room.history;
    const page = await room.history.read(from, limit);
    const isNews = isToBeTold(membership, page.missing);
    const later = isNews && page.more ? await countRest(room, membership, page, limit) : 0;
    // If the room found a loss meanwhile, it told its live members only, and not this one: read again.
    if (room.history.losses === losses) return { page, isNews, later };
  }
}

function givePage(
  room: Room,
  membership: Membership,
  page: Page,
  captured: readonly Delivery[],
  framer: Framer,
): void {
  // The member got everything else of the capture itself.
  const missed = captured.filter(
    ({ stored }) => stored !== undefined && !room.history.wasGiven(stored, membership),
  );
  membership.beginPage();
  replay(membership, page, page.more ? [] : missed, framer);
  membership.endPage(page.more ? { after: page.position } : undefined);
}

/**
 * The clock of the history may have been set since the moment, at an unknown time. The earlier of both times counts: a
 * member may get a few messages that were published before the moment, but misses none.
 */
function readFrom(from: After, { name }: Room, { broker, clock }: CatchUpContext): ReadFrom {
  if ('after' in from) return from;
  const passed = clock.elapsed() - from.sinceElapsed;
  return { since: Math.floor(Math.min(from.since, broker.now(name) - passed)) };
}

/** Counts the messages after a page that the member does not have. */
async function countRest(room: Room, membership: Membership, first: Page, limit: number): Promise<number> {
  let rest = 0;
  for (let page = first; page.more;) {
    page = await room.history.read({ after: page.position }, limit);
    rest += page.messages.filter((stored) => !room.history.wasGiven(stored, membership)).length;
  }
  return rest;
}

/** The member may have left the room, or stopped listening, while the history was read. */
function isListening(connection: Connection, membership: Membership): boolean {
  const { room, listen } = membership;
  return connection.membership(room.name) === membership && (listen & LISTEN.messages) !== 0;
}

/**
 * Whether a page says something that the member does not know. The first page does so to a member that is owed history.
 * All positions before a loss have the loss behind them, so it is told once and not with every page.
 */
function isToBeTold({ standing, told }: Membership, missing: Missing | undefined): boolean {
  if (told === undefined) return standing === 'owed' || missing === 'history_lost';
  return missing !== undefined && !(missing === 'history_lost' && told.missing === missing);
}

/** Answers what was left open while the history could not be read (docs/protocol.md, "While Redis is unavailable"). */
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
