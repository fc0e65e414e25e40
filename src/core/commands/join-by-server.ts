import type { Connection, GivenBy } from '../delivery/connection.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Pod } from './pod.ts';
import { requireGivable } from './given-rooms.ts';
import { join } from './join.ts';
import { rejectError } from './reject.ts';

/**
 * The server gives a connection a room: it joins without permission, and no hook is asked. The client gets an error
 * frame if a limit forbids it. The room stays permitted until `Connection.takeBack`.
 */
export async function joinByServer(
  pod: Pod,
  connection: Connection,
  room: string,
  by: GivenBy,
): Promise<void> {
  const { dialect, closed } = connection;
  if (dialect === undefined || closed) return;
  const listen = dialect.hearsAll ? LISTEN.all : LISTEN.messages;
  try {
    requireGivable(pod, connection, { room, by });
    connection.give(room, by);
    if (connection.membership(room) !== undefined) return;
    await join(pod, connection, room, { kind: 'join', room, listen, present: dialect.hearsAll }, {});
  } catch (error) {
    // What a token or PERSONAL_ROOM gives stays permitted: the client can join once the limit allows it.
    if (by === 'api' || by === 'connect') connection.takeBack(room, by);
    rejectError(pod, connection, error, { room });
  }
}
