import type { Connection } from '../delivery/connection.ts';
import { GRANT_MS } from '../ports/grants.ts';
import { joinPermitted, leave } from './join.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { rejectError } from './reject.ts';

/**
 * Makes a connection a member of a room because the server wants it: neither permission nor backend is asked. In the
 * channel dialect it hears the room and is not present. Resolves to whether the connection is in the room; the limits of
 * the room and of the connection may prevent that, which the client is told.
 */
export function joinByServer(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  return inTurn(connection, async () => {
    const { dialect } = connection;
    if (dialect === undefined || connection.membership(room) !== undefined) return;
    const present = dialect.hearsAll;
    try {
      await joinPermitted(pod, connection, room, { kind: 'join', room, listen: LISTEN.all, present });
    } catch (error) {
      rejectError(pod, connection, error, { room });
    }
  }).then(() => !connection.closed && connection.membership(room) !== undefined);
}

/** Takes a room from a connection. Resolves to whether it was in the room. */
export function leaveByServer(pod: Pod, connection: Connection, room: string): Promise<boolean> {
  let was = false;
  return inTurn(connection, async () => {
    connection.takeBack(room);
    was = connection.membership(room) !== undefined;
    try {
      if (was) await leave(pod, connection, room, { kind: 'leave', room, absent: true });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
  }).then(() => was);
}

/** The user keeps the room for as long as a grant lasts, also on a connection whose join was prevented. */
export function giveRoom(connection: Connection, room: string): void {
  connection.give(room, GRANT_MS);
}

/** Runs a task among the commands of the client, in their order. */
function inTurn(connection: Connection, task: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.commands.run(() => task().then(resolve, reject));
  });
}
