import type { Member } from '../../protocol/event.ts';
import type { Occupant } from '../ports/presence-store.ts';
import type { Room } from '../delivery/room.ts';

/** The users present in a room through this pod, including `also`, as far as the pod itself knows. `now` is in ms. */
export function localMembers(
  room: Room | undefined,
  also: Occupant | undefined,
  limit: number,
  now: number,
): { members: Member[]; count: number } {
  const members = new Map<string, Member>();
  const updatedAt = Math.floor(now / 1_000);
  if (also !== undefined) members.set(also.userId, { ...UNSTATED, userId: also.userId, updatedAt });
  for (const { connection, statement = {}, present: isPresent } of room?.members() ?? []) {
    if (!isPresent) continue;
    const { status = UNSTATED.status, meta = UNSTATED.meta } = statement;
    members.set(connection.userId, { userId: connection.userId, status, meta, updatedAt });
  }
  return { members: [...members.values()].slice(0, limit), count: members.size };
}

/** The presence of a user who stated nothing. */
const UNSTATED = { status: 'online', meta: '{}' } as const;
