import { BAD_FRAME_CODES, type Rejection, rejection } from '../../protocol/error-codes.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { Refused } from '../base/refused.ts';

const BAD_FRAMES_IN_A_ROW = 10;

/** What of a frame its answer names. */
interface About {
  readonly room?: string | undefined;
  readonly ref?: string | undefined;
}

/** Tells a client that something was not done; one that nobody understands ten times in a row is closed with 1008. */
export function refuse(connection: Connection, reason: Rejection, { room, ref }: About): void {
  connection.answer({ kind: 'error', room, ref, rejection: reason });
  if (!BAD_FRAME_CODES.has(reason.code)) return;
  connection.badFrames += 1;
  if (connection.badFrames >= BAD_FRAMES_IN_A_ROW) connection.close(CLOSE.policy);
}

/** Tells a client why a use case threw; what was not foreseen is logged and told as `internal`. */
export function fail(pod: Pod, connection: Connection, error: unknown, about: About): void {
  if (error instanceof Refused) {
    refuse(connection, error.rejection, about);
    return;
  }
  pod.log.error({ err: error, connection: connection.connectionId }, 'a command failed');
  refuse(connection, rejection('internal'), about);
}
