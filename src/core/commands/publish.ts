import { CONNECTION_PREFIX, DIRECT, GLOBAL } from '../../protocol/names.ts';
import type { Json } from '../../protocol/json.ts';
import { encodeBody, type MessageType } from '../../protocol/message.ts';
import { CHANNELS, type Connection } from '../delivery/connection.ts';
import type { Pod } from './pod.ts';
import { slotOf } from './last-value.ts';
import type { Fleeting, LastValueSlot, Published } from '../ports/broker.ts';
import { isUnavailable } from '../base/refused.ts';
import { reportStored } from './report-stored.ts';
import { requirePublishable } from './may-publish.ts';
import type { RoomRule } from '../ports/room-rules.ts';
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
  /** Published by the HTTP API. */
  readonly isFromServer?: boolean;
  /** Makes the publication idempotent within its room for five minutes. */
  readonly key?: string | undefined;
}

/**
 * Publishes to a room; resolves when the broker has stored or buffered the message. An ephemeral message is not stored.
 * Raises what the room's rule refuses (see `requirePublishable`).
 */
export function publishToRoom(
  pod: Pod,
  room: string,
  ephemeral: boolean,
  request: PublishRequest,
): Promise<Published> {
  requirePublishable(pod, room, request.data);
  return traced(pod, 'room', request, (trace) => {
    const rule = pod.rules.ruleOf(room);
    const lastValue = ephemeral ? undefined : valueSlot(rule, request);
    if (!ephemeral && hasHistory(rule)) {
      const { key } = request;
      const publishing = pod.broker.publish(room, encodeBody({ ...request, room }), {
        key,
        trace,
        lastValue,
      });
      if (rule.webhook.has('message')) reportStored(pod, room, request, publishing);
      return publishing;
    }
    const body = encodeBody({ ...request, room, ephemeral: true });
    return deliverOnce(pod, room, { body, trace, key: request.key }, (message) => {
      deliverToRoom(pod, room, message);
      return pod.broker.tell(room, message, lastValue);
    });
  });
}

/** Where the message becomes the value of its room; undefined if it does not. */
function valueSlot(rule: RoomRule, { isFromServer }: PublishRequest): LastValueSlot | undefined {
  const slot = slotOf(rule);
  return slot?.slot === 'server' && isFromServer !== true ? undefined : slot;
}

/** Delivers to the members on this pod. */
export function deliverToRoom(pod: Pod, room: string, { id, body, trace }: Fleeting): void {
  pod.hub.room(room)?.deliver(ephemeralDelivery(id, body, pod.framer, trace));
}

/** Whether a message to a room is not stored: the publisher asked for that, or the room has no history. */
export function isEphemeral({ rules }: Pod, room: string, asked: boolean): boolean {
  return asked || !hasHistory(rules.ruleOf(room));
}

function hasHistory({ historySize, historyTtlMs }: RoomRule): boolean {
  return historySize !== 0 && historyTtlMs !== 0;
}

/** Publishes to all connections on all pods. */
export function publishGlobally(pod: Pod, request: PublishRequest): Promise<Published> {
  return traced(pod, GLOBAL, request, (trace) => {
    const body = encodeBody({ ...request, ephemeral: true });
    return deliverOnce(pod, GLOBAL, { body, trace, key: request.key }, (message) => {
      deliverGlobally(pod, message);
      return pod.broker.tellAll({ kind: 'global', ...message });
    });
  });
}

/** Delivers to all connections on this pod. */
export function deliverGlobally(pod: Pod, message: Fleeting): void {
  deliverTo(pod, [...pod.hub.connections()], GLOBAL, message);
}

/** Publishes to all connections of a user, or to the connection `conn:<id>`, on any pod. */
export function publishDirectly(pod: Pod, to: string, request: PublishRequest): Promise<Published> {
  return traced(pod, DIRECT, request, (trace) => {
    const body = encodeBody({ ...request, to, ephemeral: true });
    return deliverOnce(pod, DIRECT, { body, to, trace, key: request.key }, (message) => {
      deliverDirectly(pod, to, message);
      return pod.broker.tellAll({ kind: 'direct', to, ...message });
    });
  });
}

/** Delivers to those of the connections that are on this pod. */
export function deliverDirectly(pod: Pod, to: string, message: Fleeting): void {
  deliverTo(pod, recipients(pod, to), DIRECT, message);
}

/** Delivers outside of rooms. */
function deliverTo(
  pod: Pod,
  connections: readonly Connection[],
  destination: '@global' | '@direct',
  { id, body, trace }: Fleeting,
): void {
  const delivery = ephemeralDelivery(id, body, pod.framer, trace);
  const span = trace === undefined ? undefined : pod.tracer?.deliver(trace, destination);
  pod.hub.deliverTo(connections, destination === GLOBAL ? CHANNELS.global : CHANNELS.direct, delivery);
  if (connections.length > 0) observeDeliveries([delivery], pod);
  span?.end(connections.length);
}

/** Publishes as part of a trace, if this pod traces. */
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

/** Gives the message an id and delivers it here and then on the other pods, unless its key was used before. */
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

/** The connections of this pod that belong to a user, or are the connection `conn:<id>`. */
export function recipients(pod: Pod, to: string): readonly Connection[] {
  if (!to.startsWith(CONNECTION_PREFIX)) return pod.hub.connectionsOf(to);
  const connection = pod.hub.connection(to.slice(CONNECTION_PREFIX.length));
  return connection === undefined ? [] : [connection];
}

/** The timestamp of a publication made now. */
export function timestampOf({ clock, timestamps }: Pod): string {
  return timestamps.write(clock.now());
}
