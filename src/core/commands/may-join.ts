import type { Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { Principal } from '../ports/principal.ts';

/**
 * Whether a user may join a room, as far as the token's permissions, its rooms and the room's rule say: a rule can let
 * every user join, leave it to the backend, or permit one user alone. A personal room is its user's alone.
 */
export function mayJoin(pod: Pod, { userId, permissions, rooms }: Principal, room: string): boolean {
  const owner = pod.personalRoom?.ownerOf(room);
  if (owner !== undefined) return owner === userId;
  if (isRuledOut(pod, userId, room)) return false;
  if (pod.rules.ruleOf(room).join !== 'token' || permissions.allow('join', room, userId)) return true;
  return rooms?.includes(room) === true;
}

/** Whether the room's rule permits another user alone. */
export function isRuledOut({ rules }: Pod, userId: string, room: string): boolean {
  const { onlyUser } = rules.ruleOf(room);
  return onlyUser !== undefined && onlyUser !== userId;
}

/** Whether the user's token or PERSONAL_ROOM gives the room: then no hook is asked about a join. */
export function isOwn(pod: Pod, { userId, rooms }: Principal, room: string): boolean {
  if (pod.personalRoom?.ownerOf(room) === userId) return true;
  return rooms?.includes(room) === true && !isOthersRoom(pod, userId, room);
}

/** Whether it is the personal room of another user. */
export function isOthersRoom({ personalRoom }: Pod, userId: string, room: string): boolean {
  const owner = personalRoom?.ownerOf(room);
  return owner !== undefined && owner !== userId;
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
