import type { Connection } from '../delivery/connection.ts';
import type { PodParts } from './parts.ts';
import { pause } from '../base/pause.ts';

/** What has no answer by then gets none here: the client sends it again with its `ref`. */
const ANSWER_MS = 2_000;
const CHECK_MS = 20;

/**
 * Sends a client to another pod: answers what it has asked for so far, tells it when to be back there and closes with
 * 1012. `reconnectAfter` is asked at the close, from which its milliseconds count; not if the client has left by then.
 */
export async function sendAway(
  pod: PodParts,
  connection: Connection,
  reconnectAfter: () => number,
): Promise<void> {
  // Where it goes it needs a place among those of its user, perhaps before this end has noticed that it is gone.
  await pod.directory.release(connection.userId, connection.connectionId);
  await settled(pod, connection);
  if (connection.closed) return;
  connection.sendAway(reconnectAfter(), pod.clock.now());
}

/** Resolves once nothing that the client said waits to be done or answered, after two seconds at the latest. */
export async function settled({ clock, turn }: PodParts, connection: Connection): Promise<void> {
  const late = clock.elapsed() + ANSWER_MS;
  for (;;) {
    turn.flush();
    if (!isBusy(connection) || clock.elapsed() >= late) return;
    await pause(clock, CHECK_MS);
  }
}

/** Whether a command is in progress, a publication waits for its answer, or answers wait for the client to read. */
export function isBusy({ commands, publications, outbox }: Connection): boolean {
  return commands.isBusy || publications.isBusy || outbox.messages > 0;
}
