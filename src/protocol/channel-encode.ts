import { DIRECT, GLOBAL, SYSTEM } from './names.ts';
import { errorData, optionalTimestamp, withData } from './message-encode.ts';
import type { Json } from './json.ts';
import { memberList, writtenOnce } from './member-list.ts';
import type { Message } from './message.ts';
import type { Member, PresenceEvent, ServerEvent } from './event.ts';

/**
 * Encodes a message as a broadcast. Only clients that named the dialect get `id` (to resume from) and the fields that
 * qualify it; others get the fields of the seed system and no more.
 */
export function encodeBroadcast(message: Message, named: boolean): Json {
  const { room, to, from, event, type, data, timestamp, id, ephemeral, provisional } = message;
  const channel = room ?? (to === undefined ? GLOBAL : DIRECT);
  let frame = `{"type":"broadcast","channel":"${channel}","event":${JSON.stringify(event ?? type)},"payload":${data}`;
  if (from !== SYSTEM) frame += `,"user_id":${JSON.stringify(from)}`;
  frame += `,"ts":${Date.parse(timestamp)}`;
  if (!named) return `${frame}}`;
  frame += `,"id":"${id}"`;
  if (message.provisional_id !== undefined) frame += `,"provisional_id":"${message.provisional_id}"`;
  if (provisional) frame += ',"provisional":true';
  return ephemeral ? `${frame},"ephemeral":true}` : `${frame}}`;
}

/** Encodes an event for a client that named the channel dialect. Undefined if the dialect has no frame for it. */
export function encodeChannelEvent(event: ServerEvent): Json | undefined {
  switch (event.kind) {
    case 'joined': {
      const { room, position, recovery, replayed, count, rule, maxDataBytes, ref } = event;
      const found = { position, ...recovery, replayed, count, rule, max_data_bytes: maxDataBytes };
      const frame = { type: 'subscribed', channel: room, ...found, ref };
      return event.data === undefined ? JSON.stringify(frame) : withData(frame, event.data);
    }
    case 'result':
      return withData({ type: 'result', ref: event.ref }, event.data);
    case 'left':
      return JSON.stringify({ type: 'unsubscribed', channel: event.room, ref: event.ref });
    case 'ack':
      return JSON.stringify({ type: 'ack', ref: event.ref, id: event.id, channel: event.room });
    case 'error': {
      const { room, ref, rejection } = event;
      return JSON.stringify({ type: 'error', channel: room, ...errorData(rejection), ref });
    }
    case 'authenticated': {
      const expires = optionalTimestamp(event.expiresAt);
      return JSON.stringify({ type: 'authenticated', expires_at: expires, ref: event.ref });
    }
    case 'recovered': {
      const { room, recovered, reason, replayed } = event;
      return JSON.stringify({ type: 'recovered', channel: room, recovered, reason, replayed });
    }
    case 'members':
      return JSON.stringify({ type: 'members', channel: event.room, count: event.count });
    case 'drain':
      return JSON.stringify({ type: 'drain', reconnect_after_ms: event.reconnectAfterMs });
    case 'census':
      return encodeSeedEvent({ ...event, kind: 'sync' });
    default:
      return encodeSeedEvent(event);
  }
}

/**
 * Encodes an event for a client that did not name the dialect: the seed's frames, and answers to frames with a `ref`.
 */
export function encodeGuessedChannelEvent(event: ServerEvent): Json | undefined {
  return 'ref' in event && event.ref !== undefined ? encodeChannelEvent(event) : encodeSeedEvent(event);
}

function encodeSeedEvent(event: ServerEvent): Json | undefined {
  if (event.kind === 'presence') return presence(event);
  if (event.kind === 'sync') {
    return `{"type":"presence_sync","channel":"${event.room}","users":${memberList(event.members, listedUser)}}`;
  }
  return undefined;
}

function presence({ room, change, member, at }: PresenceEvent): Json {
  const fields = userFields(member);
  return `{"type":"presence_${change}","channel":"${room}",${fields},"ts":${at}}`;
}

function user(member: Member): Json {
  return `{${userFields(member)}}`;
}

const listedUser = writtenOnce(user);

function userFields({ userId, meta, updatedAt }: Member): string {
  return `"user_id":${JSON.stringify(userId)},"meta":${meta},"updated_at":${updatedAt}`;
}
