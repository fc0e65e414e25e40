import { join } from './join.ts';
import { leave } from './leave.ts';
import { call } from './call.ts';
import type { Command, PublishingCommand } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';
import { publishCommand } from './publish-command.ts';
import { refresh } from './refresh.ts';
import { rejectError } from './reject.ts';
import { statePresence } from './state-presence.ts';

/**
 * Does what a client asked and answers it. Returns a promise, which never rejects, if the client's next command must
 * wait for this one. A client that is gone can still have published; its other commands mean nothing any more.
 */
export function perform(pod: Pod, connection: Connection, command: Command): Promise<void> | undefined {
  if (command.kind === 'publish' || command.kind === 'direct')
    return publishCommand(pod, connection, command);
  if (connection.closed) return undefined;
  if (command.kind === 'ping') {
    connection.answer({ kind: 'pong', ref: command.ref, at: pod.clock.now() });
    return undefined;
  }
  if (command.kind === 'call') return call(pod, connection, command);
  return performAsync(pod, connection, command).catch((error: unknown) => {
    rejectError(pod, connection, error, command);
  });
}

type OtherCommand = Exclude<Command, PublishingCommand | { kind: 'ping' | 'call' }>;

async function performAsync(pod: Pod, connection: Connection, command: OtherCommand): Promise<void> {
  switch (command.kind) {
    case 'join':
      return join(pod, connection, roomOf(connection, command), command);
    case 'leave':
      return leave(pod, connection, roomOf(connection, command), command);
    case 'presence':
      return statePresence(pod, connection, roomOf(connection, command), command);
    case 'auth':
      return refresh(pod, connection, command);
  }
}

function roomOf(connection: Connection, { room }: { room?: string | undefined }): string {
  const name = room ?? connection.room;
  if (name === undefined) throw new Refused('invalid_room', 'name a room');
  return name;
}
