import { deliverDirectly, deliverGlobally, deliverToRoom } from './publish.ts';
import type { Receiver } from './ports/broker.ts';
import { catchUp } from './catch-up.ts';
import { isUnavailable } from './refused.ts';
import { kickHere } from './kick.ts';
import type { Pod } from './pod.ts';

/** What a pod does with what the broker brings. */
export function receiverOf(pod: Pod): Receiver {
  return {
    message: (room, stored) => pod.hub.room(room)?.receive(stored),
    fleeting: (room, message) => deliverToRoom(pod, room, message),
    provisional: (room, message) => pod.hub.room(room)?.deliverProvisionally(message),
    newest: (room, position) => {
      renew(pod, room, position).catch((error: unknown) => {
        // It will be called again.
        if (!isUnavailable(error)) pod.log.error({ err: error }, 'a room could not be brought up to date');
      });
    },
    note(note) {
      if (note.kind === 'global') deliverGlobally(pod, note);
      else if (note.kind === 'direct') deliverDirectly(pod, note.to, note);
      else kickHere(pod, note.to, note.reason);
    },
  };
}

/** Brings a room up to date, and those of its members that could not be when they joined or lagged. */
async function renew(pod: Pod, name: string, position: string | undefined): Promise<void> {
  const room = pod.hub.room(name);
  if (room === undefined) return;
  for (const member of room.members()) member.lag ??= member.owed;
  await room.renew(position);
  for (const { lag, connection } of room.members()) {
    if (lag === undefined || connection.socket.congested) continue;
    catchUp(connection, pod).catch((error: unknown) => {
      if (!isUnavailable(error))
        pod.log.error({ err: error }, 'a connection could not be brought up to date');
    });
  }
}
