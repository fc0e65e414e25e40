import type { After, Membership, Moment } from '../delivery/membership.ts';
import { comesFromHistory, type Delivery, tellsPresent } from '../delivery/delivery.ts';
import { CHANNELS, type Connection } from '../delivery/connection.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import { type JoinCommand, LISTEN, type LeaveCommand } from '../../protocol/command.ts';
import type { Capture, Room } from '../delivery/room.ts';
import type { Member, Recovery } from '../../protocol/event.ts';
import type { Page } from '../ports/broker.ts';
import type { Pod } from './pod.ts';
import { Refused, isUnavailable, permit } from '../base/refused.ts';
import { count } from '../base/tally.ts';
import { replay } from '../delivery/replay.ts';

/** The channels that are not rooms. */
const CHANNEL_OF: ReadonlyMap<string, number> = new Map([
  [GLOBAL, CHANNELS.global],
  [DIRECT, CHANNELS.direct],
]);

/**
 * Makes a connection a member of a room, or changes what a member listens to. `joined` comes first, then the
 * replayed messages in order, then live ones. Raises `too_many_rooms`.
 */
export async function join(
  pod: Pod,
  connection: Connection,
  name: string,
  command: JoinCommand,
): Promise<void> {
  const channel = CHANNEL_OF.get(name);
  if (channel !== undefined) {
    subscribe(connection, name, channel, command);
    return;
  }
  permit(connection.may('join', name));
  requirePlace(pod, connection, name);
  const room = pod.hub.openRoom(name);
  const capture = room.capture();
  try {
    const found = await lookUp(pod, connection, room, command);
    room.flush();
    room.forgetLosses(capture);
    if (command.present) await pod.roster.enter(name, connection, returns(command));
    const presence = await presenceFor(pod, connection, name, command);
    if (connection.closed) {
      // It went while it was about to join: its presence ends as that of any lost one.
      if (command.present) pod.roster.lose([name], connection, connection.awayMs);
      return;
    }
    room.flush();
    enter(pod, connection, room, command, found, presence, capture);
    // History may be back already, and nobody would tell the room again.
    if (found.owed !== undefined && pod.broker.reaches(room.name)) void pod.catchUp.room(room);
  } finally {
    room.release(capture);
    pod.hub.tidy(room);
  }
}

/**
 * Whoever resumes is back; another tab, which only comes, must not use up the grace of one that was lost: if it then
 * closes, that one may still return.
 */
function returns({ lastId }: JoinCommand): boolean {
  return lastId !== undefined;
}

/** Raises `too_many_rooms` where one more would exceed the limit. */
export function requirePlace(pod: Pod, connection: Connection, name: string): void {
  const { maxRoomsPerConnection } = pod.limits;
  if (connection.membership(name) !== undefined || connection.memberships.length < maxRoomsPerConnection)
    return;
  throw new Refused(
    'too_many_rooms',
    `a connection may be in ${maxRoomsPerConnection} rooms; leave one first`,
  );
}

/** What a join found of the room's history. */
interface Found {
  readonly page: Page;
  /** Set where history cannot be read at present: from where on it will have to be. */
  readonly owed?: After;
}

async function lookUp(pod: Pod, connection: Connection, room: Room, command: JoinCommand): Promise<Found> {
  try {
    await room.history.opened();
    if (!pod.broker.reaches(room.name)) throw new Refused('unavailable');
    return { page: await readFor(connection, room, command, pod.limits.historySize) };
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    const { lastId } = command;
    const after = connection.may('history', room.name) ? lastId : undefined;
    const position = after ?? room.history.lastPosition;
    const owed = position === '' ? momentIn(pod, room) : { after: position };
    const page = {
      messages: [],
      position: lastId ?? room.history.lastPosition,
      more: false,
      missing: 'unavailable',
    } as const;
    return { page, owed };
  }
}

function momentIn({ broker, clock }: Pod, { name }: Room): Moment {
  return { since: broker.now(name), sinceElapsed: clock.elapsed() };
}

async function readFor(
  connection: Connection,
  room: Room,
  { lastId, history = 0 }: JoinCommand,
  kept: number,
): Promise<Page> {
  if (!connection.may('history', room.name)) {
    const missing = lastId === undefined ? undefined : 'unavailable';
    return { messages: [], position: await room.history.position(), more: false, missing };
  }
  if (lastId !== undefined) return room.history.read({ after: lastId }, kept);
  if (history > 0) return room.history.read({ newest: Math.min(history, kept) }, kept);
  return { messages: [], position: await room.history.position(), more: false };
}

/** Who is there, as the answer tells it: the number alone to whoever wants no list. */
function presenceFor(
  { limits, roster }: Pod,
  connection: Connection,
  name: string,
  { listen, present }: JoinCommand,
): Promise<{ members: Member[]; count: number }> {
  const limit = (listen & LISTEN.lists) === 0 ? 0 : limits.presenceEventsLimit;
  return roster.list(name, present ? connection : undefined, limit);
}

/** The last step, in one go: nothing is delivered between its parts. */
function enter(
  pod: Pod,
  connection: Connection,
  room: Room,
  command: JoinCommand,
  { page, owed }: Found,
  presence: { members: Member[]; count: number },
  capture: Capture,
): void {
  const known = connection.membership(room.name);
  const membership = known ?? room.add(connection);
  const heard = (membership.listen & LISTEN.messages) !== 0;
  const seesPresence = connection.may('presence', room.name);
  membership.listen = seesPresence ? command.listen : command.listen & LISTEN.messages;
  membership.present ||= command.present;
  membership.returns = returns(command);
  if (!heard) {
    room.history.gives(page.messages);
    membership.hearsSince = room.history.moment;
  }
  if (owed === undefined) membership.settle();
  else if (!heard || command.lastId !== undefined) membership.owe(owed);
  const recovery = recoveryOf(pod, command, page);
  const { position, messages } = page;
  const getsList = (membership.listen & LISTEN.lists) !== 0;
  const members = getsList ? presence.members : undefined;
  const answer = { room: room.name, position, count: presence.count, members, recovery };
  const { ref } = command;
  connection.tell({ kind: 'joined', ...answer, replayed: messages.length, ref, at: pod.clock.now() });
  if (getsList) {
    connection.tell({ kind: 'sync', room: room.name, members: presence.members });
  }
  // A member heard all the while what was captured.
  const missed = known === undefined ? missedBy(room, page, capture) : [];
  // What comes from the history comes when that can be read, after what was before it.
  const now = owed === undefined ? missed : missed.filter((delivery) => !comesFromHistory(delivery));
  replay(membership, page, audibleTo(membership, now, members), pod.framer);
  // The rest comes page by page to a member that could not be given all of it at once.
  if (page.missing === 'history_lost') membership.tell(page.missing);
}

/**
 * What a new member is told of that. Of itself nobody is told, but where the list lacks it, or an older list, which the
 * room was told meanwhile and which comes behind that one.
 */
function audibleTo(
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
 * What the room's members have and the page has not: what history does not have yet, and what was delivered since the
 * page was read. What was delivered provisionally and is in the history by now comes from there, to whoever is given
 * that.
 */
function missedBy(room: Room, { messages }: Page, capture: Capture): Delivery[] {
  const read = new Set(messages.map(({ provisionalId }) => provisionalId));
  const pending = new Set<Delivery>();
  for (const [id, delivery] of room.history.provisional()) if (!read.has(id)) pending.add(delivery);
  const captured = capture.deliveries.filter(
    (delivery) => delivery.isProvisional !== true || pending.has(delivery),
  );
  for (const delivery of captured) pending.delete(delivery);
  return [...pending, ...captured];
}

function recoveryOf(pod: Pod, { lastId }: JoinCommand, { missing }: Page): Recovery | undefined {
  if (lastId === undefined && missing === undefined) return undefined;
  count(pod.tally.recoveries, missing ?? 'recovered');
  return { recovered: missing === undefined, reason: missing };
}

function subscribe(connection: Connection, name: string, channel: number, command: JoinCommand): void {
  if ((command.listen & LISTEN.messages) !== 0) connection.subscribe(channel);
  else connection.unsubscribe(channel);
  if (command.ref !== undefined) connection.answer({ kind: 'ack', ref: command.ref, room: name });
}

/** Ends a membership. Raises `not_in_room`. */
export async function leave(
  pod: Pod,
  connection: Connection,
  name: string,
  command: LeaveCommand,
): Promise<void> {
  const channel = CHANNEL_OF.get(name);
  if (channel !== undefined) connection.unsubscribe(channel);
  else await leaveRoom(pod, connection, requireMembership(connection, name), command.absent);
  connection.tell({ kind: 'left', room: name, ref: command.ref, at: pod.clock.now() });
}

export function requireMembership(connection: Connection, name: string): Membership {
  const membership = connection.membership(name);
  if (membership === undefined) throw new Refused('not_in_room');
  return membership;
}

async function leaveRoom(
  pod: Pod,
  connection: Connection,
  membership: Membership,
  absent: boolean,
): Promise<void> {
  const { room, present } = membership;
  pod.hub.room(room.name)?.flush();
  membership.listen = LISTEN.none;
  membership.abandon();
  if (present && !absent) return;
  pod.hub.leave(connection, room.name);
  if (present) await pod.roster.exit(room.name, connection);
}
