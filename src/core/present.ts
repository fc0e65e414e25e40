import type { Hub } from './hub.ts';
import type { Member } from '../protocol/event.ts';
import type { Occupancy, Occupant } from './ports/presence-store.ts';
import type { Room } from './room.ts';

/** Every connection of this pod that is present in a room, or is about to be. */
export function* present(hub: Hub): Iterable<Occupancy> {
  for (const connection of hub.connections()) {
    for (const membership of connection.memberships) {
      if (!membership.present) continue;
      yield { room: membership.room.name, who: connection, statement: membership.statement ?? {} };
    }
    const { entering } = connection;
    if (entering === undefined || connection.membership(entering)?.present === true) continue;
    yield { room: entering, who: connection, statement: {} };
  }
}

/** The users present in a room through this pod, `also` among them, as far as the pod itself knows; `now` in ms. */
export function presentHere(
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
