import { DIRECT, GLOBAL } from '../../protocol/names.ts';
import {
  isEphemeral,
  type PublishRequest,
  publishDirectly,
  publishGlobally,
  publishToRoom,
  timestampOf,
} from './publish.ts';
import { submissionOf, viewOf } from './hook-views.ts';
import type { PublishingCommand } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import type { HookDecision, Hooks } from '../ports/hooks.ts';
import type { Pod } from './pod.ts';
import type { Published } from '../ports/broker.ts';
import { refusePublication } from './may-publish.ts';
import { reject, rejectError } from './reject.ts';

/**
 * Publishes what a client sent, if the client may and the hooks allow it, and acknowledges it. Returns a promise, which
 * never rejects, if the client's next command must wait: for the decision of the hooks, so that the order stays, but
 * not for the broker, which keeps the order in which it was asked.
 */
export function publishCommand(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
): Promise<void> | undefined {
  const destination = destinationOf(connection, command);
  // The hooks are not asked about a message that is rejected anyway.
  const refusal = refusePublication(pod, connection, destination, command.data);
  if (refusal !== undefined) {
    reject(connection, refusal, command);
    return undefined;
  }
  const { hooks } = pod;
  if (hooks?.publishing === undefined) return publishAndAnswer(pod, connection, command, destination);
  const ask = (): Promise<void> | undefined =>
    askHooks(pod, connection, command, destination, hooks.publishing);
  const { ref } = command;
  if (ref === undefined || !hooks.decidesOnce) return ask();
  return acknowledgeRepetition(pod, connection, command, destination).then((isRepeated) =>
    isRepeated ? undefined : ask(),
  );
}

function askHooks(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
  destination: string,
  decide: Hooks['publishing'],
): Promise<void> | undefined {
  const rule = isRoom(destination) ? pod.rules.ruleOf(destination) : undefined;
  const decision = decide?.(viewOf(connection), submissionOf(pod, destination, command), rule);
  if (decision === undefined) return undefined;
  const obey = (given: HookDecision): Promise<void> | undefined =>
    obeyHooks(pod, connection, command, destination, given);
  return decision instanceof Promise ? decision.then(obey) : obey(decision);
}

/** Acknowledges a message that was published under its `ref` already; resolves with whether it was. Never rejects. */
async function acknowledgeRepetition(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
  destination: string,
): Promise<boolean> {
  try {
    const id = await pod.broker.claimed?.(destination, keyOf(connection.userId, command.ref) ?? '');
    if (id !== undefined) acknowledge(connection, command, destination, id);
    return id !== undefined;
  } catch (error) {
    rejectError(pod, connection, error, command);
    return true;
  }
}

/** No user id contains a control character, so no two pairs of user and ref give the same key. */
export function keyOf(from: string, ref: string | undefined): string | undefined {
  return ref === undefined ? undefined : `${from}\n${ref}`;
}

function obeyHooks(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
  destination: string,
  decision: HookDecision,
): Promise<void> | undefined {
  switch (decision.kind) {
    case 'publish': {
      // Nothing else of what a hook was shown: it sees as ephemeral what the room stores nowhere.
      const { type, event, data } = decision.content;
      return publishAndAnswer(pod, connection, { ...command, type, event, data }, destination);
    }
    case 'refuse':
      reject(connection, decision.rejection, command);
      return undefined;
    case 'suppress':
      // Without an id, since nothing was published.
      acknowledge(connection, command, destination, undefined);
      return undefined;
  }
}

function publishAndAnswer(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
  destination: string,
): Promise<void> | undefined {
  const isStored = isStoredIn(pod, destination, command);
  const work = publishInOrder(pod, connection, command, destination, isStored);
  return command.ref === undefined || isStored ? undefined : work;
}

async function publishInOrder(
  pod: Pod,
  connection: Connection,
  command: PublishingCommand,
  destination: string,
  isStored: boolean,
): Promise<void> {
  const { publications } = connection;
  publications.asked();
  try {
    const request = requestOf(pod, connection, command);
    let first: Published;
    try {
      first = await publications.inOrder(isStored, () => publishNow(pod, command, destination, request));
    } finally {
      publications.ended();
    }
    // A message that waits for the broker is acknowledged once the history has it.
    const { id } = first.settled === undefined ? first : await first.settled;
    acknowledge(connection, command, destination, id);
  } catch (error) {
    rejectError(pod, connection, error, command);
  } finally {
    publications.answered();
  }
}

function requestOf(pod: Pod, connection: Connection, command: PublishingCommand): PublishRequest {
  const { type, event, data, ref } = command;
  const from = connection.userId;
  return { type, from, event, data, key: keyOf(from, ref), timestamp: timestampOf(pod) };
}

function publishNow(
  pod: Pod,
  command: PublishingCommand,
  destination: string,
  request: PublishRequest,
): Promise<Published> {
  if (command.kind === 'direct') return publishDirectly(pod, command.to, request);
  if (destination === GLOBAL) return publishGlobally(pod, request);
  return publishToRoom(pod, destination, command.ephemeral, request);
}

/** Where the message goes, as permissions name it: a room, `@global` or `@direct`. */
function destinationOf(connection: Connection, command: PublishingCommand): string {
  return command.kind === 'direct' ? DIRECT : (command.room ?? connection.room ?? GLOBAL);
}

function isRoom(destination: string): boolean {
  return destination !== DIRECT && destination !== GLOBAL;
}

/** Whether a history stores the message, and the broker puts it in order. */
function isStoredIn(pod: Pod, destination: string, command: PublishingCommand): boolean {
  if (command.kind !== 'publish' || destination === GLOBAL) return false;
  return !isEphemeral(pod, destination, command.ephemeral);
}

function acknowledge(
  connection: Connection,
  { ref }: PublishingCommand,
  destination: string,
  id: string | undefined,
): void {
  if (ref === undefined) return;
  const room = isRoom(destination) ? destination : undefined;
  connection.answer({ kind: 'ack', ref, ...(id !== undefined && { id }), room });
}
