import type { Connection } from '../delivery/connection.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Json } from '../../protocol/json.ts';
import { LISTEN, type PresenceCommand } from '../../protocol/command.ts';
import type { Pod } from './pod.ts';
import { isOthersRoom } from './may-join.ts';
import { permit, Refused } from '../base/refused.ts';
import { requireMembership } from './leave.ts';
import { permitPresence, requirePlace } from './join.ts';

/** A client states its user's presence in a room. Raises `not_in_room`, `too_many_rooms`, `too_large`. */
export async function statePresence(
  pod: Pod,
  connection: Connection,
  name: string,
  { status, meta, membersOnly, ref }: PresenceCommand,
): Promise<void> {
  permit(connection.may('presence', name));
  permit(connection.isGiven(name) || !isOthersRoom(pod, connection.userId, name));
  requirePresence(pod, connection.userId, name, meta);
  const membership = membersOnly
    ? requireMembership(connection, name)
    : await ensureMembership(pod, connection, name);
  await applyStatement(pod, connection, membership, { status, meta });
  if (ref !== undefined) connection.answer({ kind: 'ack', ref, room: name });
}

/** Raises `forbidden` if the room's rule switches presence off, and `too_large` if the engine cannot carry `meta`. */
export function requirePresence(pod: Pod, userId: string, room: string, meta: Json | undefined): void {
  if (!pod.rules.ruleOf(room).presence)
    throw new Refused('forbidden', 'presence is switched off in this room');
  if (meta !== undefined) pod.broker.requireFits?.(meta, userId);
}

/** States the presence of a user through one connection. */
export async function applyStatement(
  pod: Pod,
  connection: Connection,
  membership: Membership,
  { status, meta }: Pick<PresenceCommand, 'status' | 'meta'>,
): Promise<void> {
  if (status === 'offline') return withdraw(pod, connection, membership);
  membership.present = true;
  const { statement = {} } = membership;
  membership.statement = { status: status ?? statement.status, meta: meta ?? statement.meta };
  await pod.roster.state(membership.room.name, connection, { status, meta }, membership.returns);
}

/** The channel dialect lets a user be present in a channel that its connection does not listen to. */
async function ensureMembership(pod: Pod, connection: Connection, name: string): Promise<Membership> {
  const known = connection.membership(name);
  if (known !== undefined) return known;
  requirePlace(pod, connection, name);
  await permitPresence(pod, connection, name);
  if (connection.closed) throw new Refused('not_in_room');
  return pod.hub.openRoom(name).add(connection);
}

/** `offline` hides this connection; its user stays present while another connection shows the user. */
async function withdraw(pod: Pod, connection: Connection, membership: Membership): Promise<void> {
  const { room, present, listen } = membership;
  membership.present = false;
  membership.statement = undefined;
  if (listen === LISTEN.none) pod.hub.leave(connection, room.name);
  if (present) await pod.roster.exit(room.name, connection);
}
