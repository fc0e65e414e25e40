import type { ConnectionView, Submission } from '../ports/hooks.ts';
import { GLOBAL } from '../../protocol/names.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { PublishingCommand } from '../../protocol/command.ts';
import { isEphemeral } from './publish.ts';

/** A connection as hooks see it. */
export function viewOf({ connectionId, userId, memberships }: Connection): ConnectionView {
  return { id: connectionId, userId, rooms: memberships.map(({ room }) => room.name) };
}

/** A message that a client wants to publish, as hooks see it; `destination` is a room, `@global` or `@direct`. */
export function submissionOf(pod: Pod, destination: string, command: PublishingCommand): Submission {
  const { type, event, data } = command;
  if (command.kind === 'direct') return { type, event, data, to: command.to, ephemeral: true };
  if (destination === GLOBAL) return { type, event, data, ephemeral: true };
  return {
    type,
    event,
    data,
    room: destination,
    ephemeral: isEphemeral(pod, destination, command.ephemeral),
  };
}
