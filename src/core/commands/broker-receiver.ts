import { deliverDirectly, deliverGlobally, deliverToRoom } from './publish.ts';
import type { Receiver } from '../ports/broker.ts';
import { kickHere } from './kick.ts';
import type { Pod } from './pod.ts';

/** What a pod does with everything that the broker delivers. */
export function receiverOf(pod: Pod): Receiver {
  return {
    message: (room, stored) => pod.hub.room(room)?.history.receive(stored),
    delivered: (room, id) => pod.hub.room(room)?.history.delivered(id) ?? true,
    fleeting: (room, message) => deliverToRoom(pod, room, message),
    provisional: (room, message) => pod.hub.room(room)?.history.deliverProvisionally(message),
    forgotten: (room, provisionalId, id) => pod.hub.room(room)?.history.forgetProvisional(provisionalId, id),
    newest: (name, position) => {
      const room = pod.hub.room(name);
      if (room !== undefined) void pod.catchUp.room(room, position);
    },
    note(note) {
      if (note.kind === 'global') deliverGlobally(pod, note);
      else if (note.kind === 'direct') deliverDirectly(pod, note.to, note);
      else kickHere(pod, note.to, note.reason);
    },
  };
}
