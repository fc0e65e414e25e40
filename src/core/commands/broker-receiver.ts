import { deliverDirectly, deliverGlobally, deliverToRoom } from './publish.ts';
import type { Receiver } from '../ports/broker.ts';
import { kickHere } from './kick.ts';
import type { Pod } from './pod.ts';
import { renew } from '../pod/renew.ts';

/** What a pod does with what the broker brings. */
export function receiverOf(pod: Pod): Receiver {
  return {
    message: (room, stored) => pod.hub.room(room)?.receive(stored),
    delivered: (room, id) => pod.hub.room(room)?.delivered(id) ?? true,
    fleeting: (room, message) => deliverToRoom(pod, room, message),
    provisional: (room, message) => pod.hub.room(room)?.deliverProvisionally(message),
    forgotten: (room, provisionalId, id) => pod.hub.room(room)?.forgetProvisional(provisionalId, id),
    newest: (name, position) => {
      const room = pod.hub.room(name);
      if (room !== undefined) void renew(pod, room, position);
    },
    note(note) {
      if (note.kind === 'global') deliverGlobally(pod, note);
      else if (note.kind === 'direct') deliverDirectly(pod, note.to, note);
      else kickHere(pod, note.to, note.reason);
    },
  };
}
