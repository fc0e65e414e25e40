import type { Connection } from '../delivery/connection.ts';
import type { PodParts } from './parts.ts';
import { pause } from '../base/pause.ts';

/** Answers still pending after 2 s are dropped; the client retries with the same `ref`. */
const ANSWER_MS = 2_000;
const CHECK_MS = 20;

/**
 * Sends a client to another pod: answers its pending commands, tells it when to reconnect and closes with 1012.
 * `reconnectAfter` is called at the close, from which its milliseconds count; not if the client is gone by then.
 */
export async function sendAway(
  pod: PodParts,
  connection: Connection,
  reconnectAfter: () => number,
): Promise<void> {
  // The next pod needs the user's place, perhaps before this pod notices that the connection is gone.
  await pod.directory.release(connection.userId, connection.connectionId);
  await settled(pod, connection);
  if (connection.closed) return;
  connection.sendAway(reconnectAfter(), pod.clock.now());
}

/** Resolves once no command of the client waits to be done or answered, after two seconds at the latest. */
export async function settled({ clock, turn }: PodParts, connection: Connection): Promise<void> {
  const late = clock.elapsed() + ANSWER_MS;
  for (;;) {
    turn.flush();
    connection.outbox.flush();
    if (!isBusy(connection) || clock.elapsed() >= late) return;
    await pause(clock, CHECK_MS);
  }
}

/** Whether a command is in progress, a publication waits for its answer, or answers wait for the client to read. */
export function isBusy({ commands, publications, outbox }: Connection): boolean {
  return commands.isBusy || publications.isBusy || outbox.messages > 0;
}
