import { addresseeOf, type PublishingCommand } from './perform.ts';
import type { ConnectionView, Submission, Verdict } from '../ports/hooks.ts';
import type { Command } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import { GLOBAL } from '../../protocol/names.ts';
import { isEphemeral } from './publish.ts';
import type { Pod } from './pod.ts';

/** A connection as hooks see it. */
export function viewOf({ connectionId, userId, memberships }: Connection): ConnectionView {
  return { id: connectionId, userId, rooms: memberships.map(({ room }) => room.name) };
}

/**
 * Asks the hooks about a command. Undefined: there is nobody to ask, or nothing to ask about, as with what is not
 * permitted and will be refused anyway.
 */
export function consult(
  pod: Pod,
  connection: Connection,
  command: Command,
): Verdict | Promise<Verdict> | undefined {
  const ask = pod.hooks?.publishing;
  if (ask === undefined || (command.kind !== 'publish' && command.kind !== 'direct')) return undefined;
  if (!connection.may('publish', addresseeOf(connection, command))) return undefined;
  return ask(viewOf(connection), submissionOf(pod, connection, command));
}

function submissionOf(pod: Pod, connection: Connection, command: PublishingCommand): Submission {
  const { type, event, data } = command;
  if (command.kind === 'direct') return { type, event, data, to: command.to, ephemeral: true };
  const room = addresseeOf(connection, command);
  if (room === GLOBAL) return { type, event, data, ephemeral: true };
  return { type, event, data, room, ephemeral: isEphemeral(pod, command.ephemeral) };
}
