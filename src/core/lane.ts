import type { Connection } from './connection.ts';

/** Frames that may wait for a command in progress before the connection is no longer read. */
const BACKLOG = 16;

/**
 * Handles a connection's frames one after the other: while a command is in progress (`handle` gave a promise) later
 * frames wait, and where many do, the socket is not read, so that the client feels it.
 */
export function inOrder(
  connection: Connection,
  frame: string,
  handle: (frame: string) => Promise<void> | undefined,
): void {
  if (connection.backlog !== undefined) {
    connection.backlog.push(frame);
    if (connection.backlog.length === BACKLOG) connection.socket.pause();
    return;
  }
  const work = handle(frame);
  if (work === undefined) return;
  connection.backlog = [];
  void work.then(() => release(connection, handle));
}

function release(connection: Connection, handle: (frame: string) => Promise<void> | undefined): void {
  const backlog = connection.backlog ?? [];
  connection.backlog = undefined;
  if (backlog.length >= BACKLOG) connection.socket.resume();
  for (const next of backlog) inOrder(connection, next, handle);
}
