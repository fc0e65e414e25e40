import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The latest answer on each connection of a server, finished or not. */
export function latestAnswers(server: Server): { get(stream: Duplex): ServerResponse | undefined } {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }, response) => latest.set(socket, response));
  return latest;
}
