import type { Connection } from './connection.ts';

/** How much may wait for a command in progress before the connection is no longer read. */
const BACKLOG = 16;

/**
 * Does one thing after the other for a connection: while a command is in progress (`task` gave a promise, which never
 * rejects) later ones wait, and where many do, the socket is not read, so that the client feels it.
 */
export function inOrder(connection: Connection, task: () => Promise<void> | undefined): void {
  if (connection.backlog !== undefined) {
    connection.backlog.push(task);
    if (connection.backlog.length === BACKLOG) connection.socket.pause();
    return;
  }
  const work = task();
  if (work === undefined) return;
  connection.backlog = [];
  void work.then(() => release(connection));
}

function release(connection: Connection): void {
  const backlog = connection.backlog ?? [];
  connection.backlog = undefined;
  if (backlog.length >= BACKLOG) connection.socket.resume();
  for (const task of backlog) inOrder(connection, task);
}
