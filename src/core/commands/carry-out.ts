import { endsBeforeNext, perform } from './perform.ts';
import { fail, refuse } from './tell-refusal.ts';
import type { Command } from '../../protocol/command.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { Verdict } from '../ports/hooks.ts';
import { consult } from './consult.ts';

/**
 * Asks the hooks and then does what a client asked. Gives a promise, which never rejects, where the client's next
 * command must wait: for the hooks' verdict, so that the order stays, but not for the broker.
 */
export function carryOut(pod: Pod, connection: Connection, command: Command): Promise<void> | undefined {
  // Whoever is gone can still have published.
  if (connection.closed && command.kind !== 'publish' && command.kind !== 'direct') return undefined;
  const verdict = consult(pod, connection, command);
  return verdict instanceof Promise
    ? verdict.then((given) => obey(pod, connection, command, given))
    : obey(pod, connection, command, verdict);
}

function obey(
  pod: Pod,
  connection: Connection,
  command: Command,
  verdict: Verdict | undefined,
): Promise<void> | undefined {
  if (verdict === undefined) return attempt(pod, connection, command);
  if (verdict.kind === 'publish') return attempt(pod, connection, { ...command, ...verdict.content });
  if (verdict.kind === 'refuse') refuse(connection, verdict.rejection, command);
  else if (command.ref !== undefined) {
    // Without an id: nothing was published.
    const room = command.kind === 'publish' ? (command.room ?? connection.room) : undefined;
    connection.answer({ kind: 'ack', ref: command.ref, room });
  }
  return undefined;
}

function attempt(pod: Pod, connection: Connection, command: Command): Promise<void> | undefined {
  const work = perform(pod, connection, command).catch((error: unknown) => {
    fail(pod, connection, error, command);
  });
  return endsBeforeNext(pod, connection, command) ? work : undefined;
}
