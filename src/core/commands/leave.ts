import { CHANNEL_OF } from './channels.ts';
import type { Connection } from '../delivery/connection.ts';
import { LISTEN, type LeaveCommand } from '../../protocol/command.ts';
import type { Membership } from '../delivery/membership.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { viewOf } from './hook-views.ts';

/** Leaves a room or channel. Raises `not_in_room`. */
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

/** Tells the backend that a connection no longer hears a room. */
function tellLeft({ hooks, rules }: Pod, connection: Connection, room: string): void {
  hooks?.left?.(viewOf(connection), room, rules.ruleOf(room));
}

async function leaveRoom(
  pod: Pod,
  connection: Connection,
  membership: Membership,
  absent: boolean,
): Promise<void> {
  const { room, present, listen } = membership;
  if (listen !== LISTEN.none) tellLeft(pod, connection, room.name);
  pod.hub.room(room.name)?.flush();
  membership.listen = LISTEN.none;
  membership.abandon();
  const isStillPresent = present && !absent;
  if (!isStillPresent) pod.hub.leave(connection, room.name);
  if (present && !isStillPresent) await pod.roster.exit(room.name, connection);
  await pod.roster.places.release(room.name, connection);
}
