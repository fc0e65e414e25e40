import { catchUp } from './catch-up.ts';
import { isUnavailable } from '../base/refused.ts';
import type { PodParts } from './parts.ts';
import type { Room } from '../delivery/room.ts';

/**
 * Brings a room up to date, and those of its members that are owed history or behind; `newest` is the
 * room's newest position, if it is known. What cannot be done at present is when the broker tells of the room again.
 */
export async function renew(pod: PodParts, room: Room, newest?: string): Promise<void> {
  const failed = (error: unknown): void => {
    if (!isUnavailable(error)) pod.log.error({ err: error }, 'a room could not be brought up to date');
  };
  for (const member of room.members()) member.becomeDue();
  await room.renew(newest).catch(failed);
  for (const {
    readsFrom,
    connection: { connectionId },
  } of room.members()) {
    const connection = readsFrom === undefined ? undefined : pod.hub.connection(connectionId);
    if (connection?.socket.congested === false) catchUp(connection, pod).catch(failed);
  }
}
