import type { Member } from '../../protocol/event.ts';
import type { Occupant } from '../ports/presence-store.ts';
import type { Room } from '../delivery/room.ts';

/** The users present in a room through this pod, `also` among them, as far as the pod itself knows; `now` in ms. */
export function localMembers(
  room: Room | undefined,
  also: Occupant | undefined,
  limit: number,
  now: number,
): { members: Member[]; count: number } {
  const members = new Map<string, Member>();
  const updatedAt = Math.floor(now / 1_000);
  if (also !== undefined) members.set(also.userId, { ...UNSAID, userId: also.userId, updatedAt });
  for (const { connection, statement = {}, present: isPresent } of room?.members() ?? []) {
    if (!isPresent) continue;
    const { status = UNSAID.status, meta = UNSAID.meta } = statement;
    members.set(connection.userId, { userId: connection.userId, status, meta, updatedAt });
  }
  return { members: [...members.values()].slice(0, limit), count: members.size };
}

/** Of somebody who said nothing of itself. */
const UNSAID = { status: 'online', meta: '{}' } as const;
