import { CONNECTION_PREFIX, DIRECT, GLOBAL } from '../protocol/names.ts';
import { encodeBody, type Json, type MessageType } from '../protocol/message.ts';
import { HEARS } from './hub.ts';
import type { Connection } from './connection.ts';
import type { Pod } from './pod.ts';
import type { Published } from './ports/broker.ts';
import { ephemeralDelivery } from './delivery.ts';

/** What is published, whoever asks for it. */
export interface Publication {
  readonly type: MessageType;
  /** A user id, or `system`. */
  readonly from: string;
  readonly event?: string | undefined;
  readonly data: Json;
  /** Makes the publication idempotent within its room for five minutes. */
  readonly key?: string | undefined;
}

/** To everybody in a room; resolves when the broker has it. Kept in the history unless it is ephemeral. */
export function publishToRoom(
  pod: Pod,
  room: string,
  ephemeral: boolean,
  what: Publication,
): Promise<Published> {
  if (ephemeral || pod.limits.historySize === 0) {
    return deliverOnce(pod, room, bodyOf(pod, { ...what, room, ephemeral: true }), what.key, (id, body) => {
      pod.hub.room(room)?.deliver(ephemeralDelivery(id, body, pod.framer));
    });
  }
  return pod.broker.publish(room, bodyOf(pod, { ...what, room }), what.key);
}

/** To every connection. */
export function publishGlobally(pod: Pod, what: Publication): Promise<Published> {
  return deliverOnce(pod, GLOBAL, bodyOf(pod, { ...what, ephemeral: true }), what.key, (id, body) => {
    pod.hub.deliverTo(pod.hub.connections(), HEARS.global, ephemeralDelivery(id, body, pod.framer));
  });
}

/** To every connection of a user, or to the one of `conn:<id>`. */
export function publishDirectly(pod: Pod, to: string, what: Publication): Promise<Published> {
  return deliverOnce(pod, DIRECT, bodyOf(pod, { ...what, to, ephemeral: true }), what.key, (id, body) => {
    pod.hub.deliverTo(addressees(pod, to), HEARS.direct, ephemeralDelivery(id, body, pod.framer));
  });
}

function bodyOf(pod: Pod, what: Publication & { room?: string; to?: string; ephemeral?: boolean }): string {
  return encodeBody({ ...what, timestamp: new Date(pod.clock.now()).toISOString() });
}

async function deliverOnce(
  pod: Pod,
  room: string,
  body: string,
  key: string | undefined,
  deliver: (id: string, body: string) => void,
): Promise<Published> {
  const id = pod.ids.ephemeral();
  const first = key === undefined ? id : await pod.broker.claim(room, key, id);
  if (first === id) deliver(id, body);
  return { id: first, duplicate: first !== id };
}

function addressees(pod: Pod, to: string): readonly Connection[] {
  if (!to.startsWith(CONNECTION_PREFIX)) return pod.hub.connectionsOf(to);
  const connection = pod.hub.connection(to.slice(CONNECTION_PREFIX.length));
  return connection === undefined ? [] : [connection];
}
