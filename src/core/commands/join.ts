import { askJoin, NOTHING } from './ask-join.ts';
import type { Capture, Room } from '../delivery/room.ts';
import { CHANNEL_OF, subscribe } from './channels.ts';
import { comesFromHistory } from '../delivery/delivery.ts';
import type { Connection } from '../delivery/connection.ts';
import { count } from '../base/tally.ts';
import { type Found, lookUp } from './join-page.ts';
import { isGranted, isRuledOut, mayJoin } from './may-join.ts';
import { type JoinCommand, LISTEN } from '../../protocol/command.ts';
import type { JoinGrant } from '../ports/hooks.ts';
import { listenedTo, missedBy } from './missed-deliveries.ts';
import type { Member, Recovery } from '../../protocol/event.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Page } from '../ports/broker.ts';
import { permit, Refused } from '../base/refused.ts';
import type { Pod } from './pod.ts';
import { replay } from '../delivery/replay.ts';
import { viewOf } from './hook-views.ts';
import { withoutDelivered } from './last-value.ts';

/**
 * Makes a connection a member of a room, or changes what a member listens to. The client gets `joined` first, then the
 * replayed messages in order, then live messages. `granted`: this join was allowed already. Raises `forbidden`,
 * `too_many_rooms`, `room_full`, and what the hooks refuse.
 */
export function join(
  pod: Pod,
  connection: Connection,
  name: string,
  command: JoinCommand,
  granted?: JoinGrant,
): Promise<void> {
  const channel = CHANNEL_OF.get(name);
  if (channel === undefined) return joinRoom(pod, connection, name, command, granted);
  subscribe(connection, name, channel, command);
  return Promise.resolve();
}

async function joinRoom(
  pod: Pod,
  connection: Connection,
  name: string,
  command: JoinCommand,
  granted: JoinGrant | undefined,
): Promise<void> {
  const asked = granted ?? requirePermission(pod, connection, name);
  const grant = asked instanceof Promise ? await asked : asked;
  requirePlace(pod, connection, name);
  // It may have gone while the hooks were asked.
  if (connection.closed && asked instanceof Promise) return;
  const { places } = pod.roster;
  if (hears(command) && places.isLimited(name)) await places.take(name, connection, returns(command));
  const room = pod.hub.openRoom(name);
  const capture = room.capture();
  try {
    const found = await lookUp(pod, connection, room, command);
    room.flush();
    room.forgetLosses(capture);
    if (command.present) await makePresent(pod, connection, name, command, grant);
    const presence = await presenceFor(pod, connection, name, command);
    if (connection.closed) {
      // The client went while it was joining: its presence ends like that of any lost connection.
      const left = [...(command.present ? [name] : []), ...places.namesOf([name])];
      pod.roster.lose(left, connection, connection.awayMs);
      return;
    }
    room.flush();
    enter(pod, connection, room, command, found, presence, capture, grant);
    // The history may be back already, and the broker would not name the room again.
    if (found.owed !== undefined && pod.broker.reaches(room.name)) void pod.catchUp.room(room);
  } catch (error) {
    if (connection.membership(name) === undefined) await places.release(name, connection);
    throw error;
  } finally {
    room.release(capture);
    pod.hub.tidy(room);
  }
}

/**
 * A client is present in a room that it does not hear (channel dialect). That needs no permission to join, but a room of
 * another user, and one that the hooks refuse, stays closed to it. Raises `forbidden` and what the hooks refuse.
 */
export async function permitPresence(pod: Pod, connection: Connection, name: string): Promise<void> {
  if (connection.isGiven(name)) return;
  permit(!isRuledOut(pod, connection.userId, name));
  if (pod.hooks?.joining !== undefined) await askJoin(pod, viewOf(connection), name);
}

/** Raises `forbidden` without permission, and what the hooks refuse. A room that the server gave needs neither. */
function requirePermission(pod: Pod, connection: Connection, name: string): JoinGrant | Promise<JoinGrant> {
  if (connection.isGiven(name)) return NOTHING;
  if (!mayJoin(pod, connection.principal, name)) return requireGrant(pod, connection, name);
  requirePlace(pod, connection, name);
  return pod.hooks?.joining === undefined ? NOTHING : askJoin(pod, viewOf(connection), name);
}

/** Raises `forbidden` unless the API gave the user the room, and `unavailable` if that cannot be known now. */
async function requireGrant(pod: Pod, connection: Connection, name: string): Promise<JoinGrant> {
  permit(await isGranted(pod, connection, name));
  return {};
}

/** Makes the user present, at first with the `meta` that came with the permission to join. */
function makePresent(
  { roster }: Pod,
  connection: Connection,
  name: string,
  command: JoinCommand,
  { meta }: JoinGrant,
): Promise<void> {
  const isFirst = connection.membership(name)?.present !== true;
  if (meta === undefined || !isFirst) return roster.enter(name, connection, returns(command));
  return roster.state(name, connection, { meta }, returns(command));
}

/**
 * A client that resumes returns. Another tab that only joins must not end the grace period of a lost tab: the lost tab
 * may still return after this one closes.
 */
function returns({ lastId }: JoinCommand): boolean {
  return lastId !== undefined;
}

function hears({ listen }: JoinCommand): boolean {
  return (listen & LISTEN.messages) !== 0;
}

/** Raises `too_many_rooms` if one more room would exceed the limit. */
export function requirePlace(pod: Pod, connection: Connection, name: string): void {
  const { maxRoomsPerConnection } = pod.limits;
  if (connection.membership(name) !== undefined || connection.memberships.length < maxRoomsPerConnection)
    return;
  throw new Refused(
    'too_many_rooms',
    `a connection may be in ${maxRoomsPerConnection} rooms; leave one first`,
  );
}

/** The present users for the answer; the number alone if the client wants no list. */
function presenceFor(
  { roster }: Pod,
  connection: Connection,
  name: string,
  { listen, present }: JoinCommand,
): Promise<{ members: Member[]; count: number }> {
  return roster.list(name, present ? connection : undefined, (listen & LISTEN.lists) === 0);
}

/** The last step. It is synchronous, so that nothing is delivered in between. */
function enter(
  pod: Pod,
  connection: Connection,
  room: Room,
  command: JoinCommand,
  found: Found,
  presence: { members: Member[]; count: number },
  capture: Capture,
  grant: JoinGrant,
): void {
  const known = connection.membership(room.name);
  const membership = known ?? room.add(connection);
  const { owed } = found;
  const page = command.lastId === undefined ? withoutDelivered(found.page, capture) : found.page;
  changeMembership(connection, room, membership, command, found, grant);
  const { messages } = page;
  const getsList = (membership.listen & LISTEN.lists) !== 0;
  const members = getsList ? presence.members : undefined;
  const { match: rule, maxDataBytes } = room.rule;
  connection.tell({
    kind: 'joined',
    room: room.name,
    position: page.position,
    count: presence.count,
    members,
    recovery: recoveryOf(pod, command, page),
    rule,
    maxDataBytes,
    data: grant.data,
    replayed: messages.length,
    ref: command.ref,
    at: pod.clock.now(),
  });
  if (members !== undefined) connection.tell({ kind: 'sync', room: room.name, members });
  // A member got the captured messages itself.
  const missed = known === undefined ? missedBy(room, page, capture) : [];
  // If history is owed, stored messages come from it later, in order.
  const now = owed === undefined ? missed : missed.filter((delivery) => !comesFromHistory(delivery));
  replay(membership, page, listenedTo(membership, now, members), pod.framer);
  // CatchUp gives the rest page by page, and must not tell this loss again.
  if (page.missing === 'history_lost') membership.tell(page.missing);
}

/** What a join changes in a membership, before the client is told. */
function changeMembership(
  connection: Connection,
  room: Room,
  membership: Membership,
  command: JoinCommand,
  { page, owed }: Found,
  { meta }: JoinGrant,
): void {
  const listened = (membership.listen & LISTEN.messages) !== 0;
  const seesPresence = connection.may('presence', room.name);
  membership.listen = seesPresence ? command.listen : command.listen & LISTEN.messages;
  if (meta !== undefined && command.present && !membership.present) membership.statement = { meta };
  membership.present ||= command.present;
  membership.returns = returns(command);
  if (!listened) {
    room.history.gives(page.messages);
    membership.hearsSince = room.history.moment;
  }
  if (owed === undefined) membership.settle();
  else if (!listened || command.lastId !== undefined) membership.owe(owed);
}

function recoveryOf(pod: Pod, { lastId }: JoinCommand, { missing }: Page): Recovery | undefined {
  if (lastId === undefined && missing === undefined) return undefined;
  count(pod.tally.recoveries, missing ?? 'recovered');
  return { recovered: missing === undefined, reason: missing };
}
