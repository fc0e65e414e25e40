import { CONNECTION_PREFIX, DIRECT, GLOBAL } from '../../protocol/names.ts';
import type { Json } from '../../protocol/json.ts';
import { encodeBody, type MessageType } from '../../protocol/message.ts';
import { CHANNELS, type Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import type { Fleeting, Published } from '../ports/broker.ts';
import { isUnavailable } from '../base/refused.ts';
import type { Destination } from '../ports/tracer.ts';
import { ephemeralDelivery, observeDeliveries } from '../delivery/delivery.ts';

/** A message that a client or a backend asks to publish. */
export interface PublishRequest {
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

/** To everybody in a room; resolves when the broker has it, or keeps it waiting. Kept unless it is ephemeral. */
export function publishToRoom(
  pod: Pod,
  room: string,
  ephemeral: boolean,
  request: PublishRequest,
): Promise<Published> {
  return traced(pod, 'room', request, (trace) => {
    if (!isEphemeral(pod, ephemeral)) {
      return pod.broker.publish(room, encodeBody({ ...request, room }), { key: request.key, trace });
    }
    const body = encodeBody({ ...request, room, ephemeral: true });
    return deliverOnce(pod, room, { body, trace, key: request.key }, (message) => {
      deliverToRoom(pod, room, message);
      return pod.broker.tell(room, message);
    });
  });
}

/** To the room's members on this pod. */
export function deliverToRoom(pod: Pod, room: string, { id, body, trace }: Fleeting): void {
  pod.hub.room(room)?.deliver(ephemeralDelivery(id, body, pod.framer, trace));
}

/** Whether a message to a room is not kept: its publisher says so, or nothing is. */
export function isEphemeral({ limits }: Pod, asked: boolean): boolean {
  return asked || limits.historySize === 0;
}

/** To every connection on every pod. */
export function publishGlobally(pod: Pod, request: PublishRequest): Promise<Published> {
  return traced(pod, GLOBAL, request, (trace) => {
    const body = encodeBody({ ...request, ephemeral: true });
    return deliverOnce(pod, GLOBAL, { body, trace, key: request.key }, (message) => {
      deliverGlobally(pod, message);
      return pod.broker.tellAll({ kind: 'global', ...message });
    });
  });
}

/** To every connection on this pod. */
export function deliverGlobally(pod: Pod, message: Fleeting): void {
  deliverTo(pod, [...pod.hub.connections()], GLOBAL, message);
}

/** To every connection of a user, or to the one of `conn:<id>`, on whichever pod. */
export function publishDirectly(pod: Pod, to: string, request: PublishRequest): Promise<Published> {
  return traced(pod, DIRECT, request, (trace) => {
    const body = encodeBody({ ...request, to, ephemeral: true });
    return deliverOnce(pod, DIRECT, { body, to, trace, key: request.key }, (message) => {
      deliverDirectly(pod, to, message);
      return pod.broker.tellAll({ kind: 'direct', to, ...message });
    });
  });
}

/** To those of them on this pod. */
export function deliverDirectly(pod: Pod, to: string, message: Fleeting): void {
  deliverTo(pod, addressees(pod, to), DIRECT, message);
}

/** Outside of any room. */
function deliverTo(
  pod: Pod,
  connections: readonly Connection[],
  destination: '@global' | '@direct',
  { id, body, trace }: Fleeting,
): void {
  const delivery = ephemeralDelivery(id, body, pod.framer, trace);
  const span = trace === undefined ? undefined : pod.tracer?.deliver(trace, destination);
  pod.hub.deliverTo(connections, destination === GLOBAL ? CHANNELS.global : CHANNELS.direct, delivery);
  if (connections.length > 0) observeDeliveries([delivery], pod.clock.now(), pod.tally);
  span?.end(connections.length);
}

/** As part of a trace, where this pod has a tracer. */
function traced(
  { tracer }: Pod,
  destination: Destination,
  { type }: PublishRequest,
  publish: (trace: string | undefined) => Promise<Published>,
): Promise<Published> {
  return tracer === undefined ? publish(undefined) : tracer.publish({ destination, type }, publish);
}

interface Once {
  readonly body: string;
  readonly to?: string;
  readonly trace: string | undefined;
  readonly key: string | undefined;
}

/** Gives it an id and has it delivered, unless its key was used before: here at once, and then to the other pods. */
async function deliverOnce(
  pod: Pod,
  room: string,
  { body, to, trace, key }: Once,
  deliver: (message: Fleeting) => Promise<void>,
): Promise<Published> {
  pod.broker.requireFits?.(body, to);
  const id = pod.ids.ephemeral();
  const first = key === undefined ? id : await pod.broker.claim(room, key, id);
  if (first !== id) return { id: first, duplicate: true };
  try {
    await deliver({ id, body, trace, key });
    return { id, duplicate: false };
  } catch (error) {
    if (isUnavailable(error)) return { id, duplicate: false, partial: true };
    throw error;
  }
}

/** Connections of this pod that belong to a user id or are the one of `conn:<id>`. */
export function addressees(pod: Pod, to: string): readonly Connection[] {
  if (!to.startsWith(CONNECTION_PREFIX)) return pod.hub.connectionsOf(to);
  const connection = pod.hub.connection(to.slice(CONNECTION_PREFIX.length));
  return connection === undefined ? [] : [connection];
}

/** The moment of a publication that is made now. */
export function timestampOf({ clock }: Pod): string {
  return new Date(clock.now()).toISOString();
}
