import type { CallCommand, Command } from '../../protocol/command.ts';
import { type Rejection, rejection } from '../../protocol/error-codes.ts';
import type { CallDecision } from '../ports/hooks.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { reject } from './reject.ts';
import { viewOf } from './hook-views.ts';

/** Why a frame is not a call on this pod; undefined for any other command. */
export function refuseCall({ hooks }: Pod, command: Command): Rejection | undefined {
  if (command.kind !== 'call') return undefined;
  if (hooks?.calling === undefined) return rejection('unknown_type');
  return command.method === undefined ? rejection('invalid_message', 'method is missing') : undefined;
}

/** Asks the operator's application and answers the client, whose next command waits. Never rejects. */
export async function call(pod: Pod, connection: Connection, command: CallCommand): Promise<void> {
  const { method, data, ref } = command;
  const calling = pod.hooks?.calling;
  if (calling === undefined || method === undefined) return;
  const decision = await calling(viewOf(connection), method, data);
  if (decision.kind === 'result') connection.answer({ kind: 'result', ref, data: decision.data });
  else reject(connection, rejectionOf(decision), command);
}

function rejectionOf(decision: Exclude<CallDecision, { kind: 'result' }>): Rejection {
  switch (decision.kind) {
    case 'refuse':
      return decision.rejection;
    case 'unknown':
      return rejection('unknown_method');
    case 'failed':
      return rejection('unavailable');
  }
}
