import type { Hub } from './hub.ts';
import type { Member } from '../protocol/event.ts';
import type { Occupancy } from './ports/presence-store.ts';
import type { Room } from './room.ts';

/** Every connection of this pod that is present in a room. */
export function* present(hub: Hub): Iterable<Occupancy> {
  for (const connection of hub.connections()) {
    for (const membership of connection.memberships) {
      if (!membership.present) continue;
      yield { room: membership.room.name, who: connection, statement: membership.statement ?? {} };
    }
  }
}

/** The users present in a room through this pod, as far as the pod itself knows; `now` in milliseconds. */
export function presentHere(
  room: Room | undefined,
  limit: number,
  now: number,
): { members: Member[]; count: number } {
  const members = new Map<string, Member>();
  for (const { connection, statement, present: isPresent } of room?.members() ?? []) {
    if (!isPresent) continue;
    const { status = 'online', meta = '{}' } = statement ?? {};
    const { userId } = connection;
    members.set(userId, { userId, status, meta, updatedAt: Math.floor(now / 1_000) });
  }
  return { members: [...members.values()].slice(0, limit), count: members.size };
}
