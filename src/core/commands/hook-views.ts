import type { ConnectionView, Evidence, Submission } from '../ports/hooks.ts';
import { GLOBAL } from '../../protocol/names.ts';
import type { Connection, Source } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';
import type { PublishingCommand } from '../../protocol/command.ts';
import { isEphemeral } from './publish.ts';

/** A connection as hooks see it. */
export function viewOf(connection: Connection): ConnectionView {
  const { connectionId: id, userId, memberships, principal, source } = connection;
  return {
    id,
    userId,
    rooms: memberships.map(({ room }) => room.name),
    evidence: evidenceOf(source, principal),
  };
}

/** What a client showed; undefined if no hook sees it. */
export function evidenceOf(
  source: Source | undefined,
  principal: Principal | undefined,
): Evidence | undefined {
  return source === undefined ? undefined : { ...source, claims: principal?.claims ?? null };
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
