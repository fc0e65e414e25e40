import type { Connection, GivenBy } from '../delivery/connection.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Pod } from './pod.ts';
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
  connection.give(room, by);
  if (connection.membership(room) !== undefined) return;
  const listen = dialect.hearsAll ? LISTEN.all : LISTEN.messages;
  try {
    await join(pod, connection, room, { kind: 'join', room, listen, present: dialect.hearsAll }, {});
  } catch (error) {
    connection.takeBack(room, by);
    rejectError(pod, connection, error, { room });
  }
}
