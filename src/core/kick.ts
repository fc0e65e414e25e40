import { CLOSE } from '../protocol/close-codes.ts';
import type { Pod } from './pod.ts';

/** Closes every connection of a user with 4403; each client is told the reason. */
export function kickUser(pod: Pod, userId: string, reason?: string): void {
  for (const connection of pod.hub.connectionsOf(userId)) connection.close(CLOSE.kicked, reason);
}

/** Closes one connection with 4403, if it is there; the client is told the reason. */
export function kickConnection(pod: Pod, connectionId: string, reason?: string): void {
  pod.hub.connection(connectionId)?.close(CLOSE.kicked, reason);
}
