import { BAD_FRAME_CODES, type Rejection, rejection } from '../../protocol/error-codes.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';

/** What an answer names of the frame that it answers. */
interface About {
  readonly room?: string | undefined;
  readonly ref?: string | undefined;
}

/** Tells a client why a frame was rejected, and closes with 1008 after too many unreadable frames in a row. */
export function reject(connection: Connection, reason: Rejection, { room, ref }: About): void {
  connection.answer({ kind: 'error', room, ref, rejection: reason });
  if (BAD_FRAME_CODES.has(reason.code) && connection.frames.unreadable()) connection.close(CLOSE.policy);
}

/** Tells a client why a command threw. An error that is not `Refused` is logged and told as `internal`. */
export function rejectError(pod: Pod, connection: Connection, error: unknown, about: About): void {
  if (error instanceof Refused) {
    reject(connection, error.rejection, about);
    return;
  }
  pod.log.error({ err: error, connection: connection.connectionId }, 'a command failed');
  reject(connection, rejection('internal'), about);
}
