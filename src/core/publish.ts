import { CONNECTION_PREFIX, DIRECT, GLOBAL } from '../protocol/names.ts';
import type { Json } from '../protocol/json.ts';
import { encodeBody, type MessageType } from '../protocol/message.ts';
import { HEARS } from './hub.ts';
import type { Connection } from './connection.ts';
import type { Pod } from './pod.ts';
import type { Published } from './ports/broker.ts';
import type { Destination } from './ports/tracer.ts';
import { type Delivery, ephemeralDelivery, observeDeliveries } from './delivery.ts';

/** What is published, whoever asks for it. */
export interface Publication {
  readonly type: MessageType;
  /** A user id, or `system`. */
  readonly from: string;
  readonly event?: string | undefined;
  readonly data: Json;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
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
  return traced(pod, 'room', what, (trace) => {
    if (isEphemeral(pod, ephemeral)) {
      return deliverOnce(pod, room, encodeBody({ ...what, room, ephemeral: true }), what.key, (id, body) => {
        pod.hub.room(room)?.deliver(ephemeralDelivery(id, body, pod.framer, trace));
      });
    }
    return pod.broker.publish(room, encodeBody({ ...what, room }), { key: what.key, trace });
  });
}

/** Whether a message to a room is not kept: its publisher says so, or nothing is. */
export function isEphemeral({ limits }: Pod, asked: boolean): boolean {
  return asked || limits.historySize === 0;
}

/** To every connection. */
export function publishGlobally(pod: Pod, what: Publication): Promise<Published> {
  return traced(pod, GLOBAL, what, (trace) =>
    deliverOnce(pod, GLOBAL, encodeBody({ ...what, ephemeral: true }), what.key, (id, body) => {
      const delivery = ephemeralDelivery(id, body, pod.framer, trace);
      deliverTo(pod, [...pod.hub.connections()], GLOBAL, delivery);
    }),
  );
}

/** To every connection of a user, or to the one of `conn:<id>`. */
export function publishDirectly(pod: Pod, to: string, what: Publication): Promise<Published> {
  return traced(pod, DIRECT, what, (trace) =>
    deliverOnce(pod, DIRECT, encodeBody({ ...what, to, ephemeral: true }), what.key, (id, body) => {
      const delivery = ephemeralDelivery(id, body, pod.framer, trace);
      deliverTo(pod, addressees(pod, to), DIRECT, delivery);
    }),
  );
}

/** Outside of any room. */
function deliverTo(
  pod: Pod,
  connections: readonly Connection[],
  destination: '@global' | '@direct',
  delivery: Delivery,
): void {
  const span = delivery.trace === undefined ? undefined : pod.tracer?.deliver(delivery.trace, destination);
  pod.hub.deliverTo(connections, destination === GLOBAL ? HEARS.global : HEARS.direct, delivery);
  if (connections.length > 0) observeDeliveries([delivery], pod.clock.now(), pod.tally);
  span?.end(connections.length);
}

/** As part of a trace, where this pod has a tracer. */
function traced(
  { tracer }: Pod,
  destination: Destination,
  { type }: Publication,
  publish: (trace: string | undefined) => Promise<Published>,
): Promise<Published> {
  return tracer === undefined ? publish(undefined) : tracer.publish({ destination, type }, publish);
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

/** The moment of a publication that is made now. */
export function timestampOf({ clock }: Pod): string {
  return new Date(clock.now()).toISOString();
}
