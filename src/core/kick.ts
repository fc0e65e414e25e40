import { CLOSE } from '../protocol/close-codes.ts';
import type { Pod } from './pod.ts';

/** Closes every connection of a user with 4403. */
export function kickUser(pod: Pod, userId: string): void {
  for (const connection of pod.hub.connectionsOf(userId)) connection.close(CLOSE.kicked);
}

/** Closes one connection with 4403, if it is there. */
export function kickConnection(pod: Pod, connectionId: string): void {
  pod.hub.connection(connectionId)?.close(CLOSE.kicked);
}
