import { catchUp } from './catch-up.ts';
import { isUnavailable } from '../base/refused.ts';
import type { Pod } from './pod.ts';
import type { Room } from '../delivery/room.ts';

/**
 * Brings a room up to date, and those of its members that are owed history or behind; `newest` is the
 * room's newest position, if it is known. What cannot be done at present is when the broker tells of the room again.
 */
export async function renew(pod: Pod, room: Room, newest?: string): Promise<void> {
  const failed = (error: unknown): void => {
    if (!isUnavailable(error)) pod.log.error({ err: error }, 'a room could not be brought up to date');
  };
  for (const member of room.members()) member.becomeDue();
  await room.renew(newest).catch(failed);
  for (const { readsFrom, connection } of room.members()) {
    if (readsFrom !== undefined && !connection.socket.congested) catchUp(connection, pod).catch(failed);
  }
}
