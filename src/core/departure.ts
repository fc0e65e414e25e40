import { CLOSE } from '../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import type { Pod } from './pod.ts';
import { inOrder } from './lane.ts';
import { pause } from './pause.ts';

/** What has no answer by then gets none here: the client sends it again with its `ref`. */
const ANSWER_MS = 2_000;

/**
 * Sends a client to another pod: tells it when to be back there, answers what it has asked for so far, and closes with
 * 1012. `reconnectAfterMs` counts from the close.
 */
export async function sendAway(pod: Pod, connection: Connection, reconnectAfterMs: number): Promise<void> {
  const { clock, directory } = pod;
  if (connection.closed) return;
  connection.awayMs = reconnectAfterMs;
  connection.tell({ kind: 'drain', reconnectAfterMs, at: clock.now() });
  await settled(pod, connection);
  // Where it goes it needs a place among those of its user, perhaps before this end has noticed that it is gone.
  directory.release(connection.userId, connection.connectionId);
  connection.close(CLOSE.drain);
}

/**
 * Resolves once no command of the connection is in progress and none of its publications waits for an answer, after
 * two seconds at the latest.
 */
export async function settled({ clock }: Pod, connection: Connection): Promise<void> {
  await Promise.race([answered(connection), pause(clock, ANSWER_MS)]);
}

async function answered(connection: Connection): Promise<void> {
  await new Promise<void>((resolve) => {
    inOrder(connection, () => {
      resolve();
      return undefined;
    });
  });
  while (connection.underWay !== undefined) await connection.underWay.done;
}
