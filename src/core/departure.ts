import { CLOSE } from '../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import type { Clock } from './ports/clock.ts';
import { inOrder } from './lane.ts';
import { pause } from './pause.ts';

/** A publication that has no answer by then gets none here: the client sends it again with its `ref`. */
const ANSWER_MS = 2_000;

/**
 * Sends a client to another pod: tells it when to be back there, answers what it has asked for so far, and closes with
 * 1012. `reconnectAfterMs` counts from the close.
 */
export async function sendAway(
  connection: Connection,
  reconnectAfterMs: number,
  clock: Clock,
): Promise<void> {
  if (connection.closed) return;
  connection.awayMs = reconnectAfterMs;
  connection.tell({ kind: 'drain', reconnectAfterMs, at: clock.now() });
  await Promise.race([answered(connection), pause(clock, ANSWER_MS)]);
  connection.close(CLOSE.drain);
}

/** Resolves once no command of the connection is in progress and none of its publications waits for an answer. */
async function answered(connection: Connection): Promise<void> {
  await new Promise<void>((resolve) => {
    inOrder(connection, () => {
      resolve();
      return undefined;
    });
  });
  while (connection.underWay !== undefined) await connection.underWay.done;
}
