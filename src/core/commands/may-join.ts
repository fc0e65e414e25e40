import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';

/**
 * Whether a user may join a room, as far as the token's permissions and the room's rule say: a rule can let every user
 * join, leave it to the backend, or permit one user alone.
 */
export function mayJoin({ rules }: Pod, { userId, permissions }: Principal, room: string): boolean {
  const { join, onlyUser } = rules.ruleOf(room);
  if (onlyUser !== undefined && onlyUser !== userId) return false;
  return join !== 'token' || permissions.allow('join', room, userId);
}

/**
 * Whether the API gave the room to the user of a connection, which another pod may know. Asks the engine, so it is only
 * for a join that would be rejected otherwise. Raises `unavailable`.
 */
export async function isGranted({ grants }: Pod, connection: Connection, room: string): Promise<boolean> {
  const leftMs = await grants.leftMs(connection.userId, room);
  if (leftMs > 0) connection.give(room, 'api');
  return leftMs > 0;
}
