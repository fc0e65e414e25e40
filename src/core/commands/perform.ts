import type { Command, PublishCommand } from '../../protocol/command.ts';
import { join, leave } from './join.ts';
import {
  type Publication,
  publishDirectly,
  publishGlobally,
  publishToRoom,
  isEphemeral,
  timestampOf,
} from './publish.ts';
import type { Connection } from '../delivery/connection.ts';
import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import { inPublishingOrder } from '../delivery/publishing-order.ts';
import type { Pod } from './pod.ts';
import type { Published } from '../ports/broker.ts';
import { Refused, permit } from '../base/refused.ts';
import { refresh } from './refresh.ts';
import { statePresence } from './state-presence.ts';

/** Does what a client asked and answers it. Raises `Refused` where it is not done. */
export async function perform(pod: Pod, connection: Connection, command: Command): Promise<void> {
  switch (command.kind) {
    case 'publish':
    case 'direct':
      return publishAndAnswer(pod, connection, command);
    case 'join':
      return join(pod, connection, roomOf(connection, command), command);
    case 'leave':
      return leave(pod, connection, roomOf(connection, command), command);
    case 'presence':
      return statePresence(pod, connection, roomOf(connection, command), command);
    case 'auth':
      return refresh(pod, connection, command);
    case 'ping':
      connection.answer({ kind: 'pong', ref: command.ref, at: pod.clock.now() });
  }
}

async function publishAndAnswer(pod: Pod, connection: Connection, command: PublishingCommand): Promise<void> {
  connection.unanswered += 1;
  try {
    const { room, published } = publish(pod, connection, command);
    const first = await published;
    // Acked when history has it.
    const { id } = first.settled === undefined ? first : await first.settled;
    if (command.ref !== undefined) connection.answer({ kind: 'ack', ref: command.ref, id, room });
  } finally {
    connection.unanswered -= 1;
  }
}

/**
 * Whether the connection's next command must wait for this one. A message that the broker puts in order need not:
 * the broker keeps the order in which it was asked.
 */
export function endsBeforeNext(pod: Pod, connection: Connection, command: Command): boolean {
  switch (command.kind) {
    case 'publish':
      return (
        command.ref !== undefined &&
        (isEphemeral(pod, command.ephemeral) || target(connection, command) === GLOBAL)
      );
    case 'direct':
      return command.ref !== undefined;
    case 'ping':
      return false;
    default:
      return true;
  }
}

export type PublishingCommand = Extract<Command, { kind: 'publish' | 'direct' }>;

function publish(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
): { room?: string | undefined; published: Promise<Published> } {
  const { type, event, data, ref } = command;
  const from = connection.userId;
  // A user id holds no control character, so that no two pairs give one key.
  const key = ref === undefined ? undefined : `${from}\n${ref}`;
  const what: Publication = { type, from, event, data, key, timestamp: timestampOf(pod) };
  permit(connection.may('publish', addresseeOf(connection, command)));
  const room = command.kind === 'direct' ? DIRECT : target(connection, command);
  const isKept = command.kind === 'publish' && room !== GLOBAL && !isEphemeral(pod, command.ephemeral);
  const published = inPublishingOrder(connection, isKept, () => {
    if (command.kind === 'direct') return publishDirectly(pod, command.to, what);
    return room === GLOBAL ? publishGlobally(pod, what) : publishToRoom(pod, room, command.ephemeral, what);
  });
  return { room: room === DIRECT || room === GLOBAL ? undefined : room, published };
}

/** Whom it is for, as a permission names it: a room, `@global` or `@direct`. */
export function addresseeOf(connection: Connection, command: PublishingCommand): string {
  return command.kind === 'direct' ? DIRECT : target(connection, command);
}

function target(connection: Connection, { room }: PublishCommand): string {
  return room ?? connection.room ?? GLOBAL;
}

function roomOf(connection: Connection, { room }: { room?: string | undefined }): string {
  const name = room ?? connection.room;
  if (name === undefined) throw new Refused('invalid_room', 'name a room');
  return name;
}
