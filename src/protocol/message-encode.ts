import type { Json } from './json.ts';
import { withId } from './message.ts';
import type { Joined, Member, ServerEvent } from './event.ts';
import type { PublishedMessage } from './dialect.ts';
import { SYSTEM } from './names.ts';
import { memberList, writtenOnce } from './member-list.ts';
import type { Rejection } from './error-codes.ts';

/** Does not decode the body: the broker delivers it in this dialect. */
export function encodeMessage(message: PublishedMessage): Json {
  return withId(message.id, message.body, message.provisionalId);
}

/** Undefined if the message dialect has no frame for the event. */
export function encodeMessageEvent(event: ServerEvent): Json | undefined {
  switch (event.kind) {
    case 'connected':
      return connected(event);
    case 'joined':
      return joined(event);
    case 'left':
      return system('left', event);
    case 'recovered':
      return recovered(event);
    case 'members':
      return system('members', event, { count: event.count });
    case 'census':
      return census(event);
    case 'presence':
      return presence(event);
    case 'ack':
      return JSON.stringify({ type: 'ack', ref: event.ref, id: event.id, room: event.room });
    case 'error':
      return errorFrame(event);
    case 'authenticated':
      return system('authenticated', event, { expires_at: optionalTimestamp(event.expiresAt) });
    case 'pong':
      return JSON.stringify({ type: 'pong', ref: event.ref, timestamp: timestamp(event.at) });
    case 'result':
      return withData({ type: 'result', ref: event.ref }, event.data);
    case 'drain':
      return system('drain', event, { reconnect_after_ms: event.reconnectAfterMs });
    case 'sync':
      return undefined;
  }
}

function connected(event: Extract<ServerEvent, { kind: 'connected' }>): Json {
  const frame = system('connected', event, {
    connection_id: event.connectionId,
    user_id: event.userId,
    heartbeat_seconds: event.heartbeatSeconds,
    max_message_bytes: event.maxMessageBytes,
    personal_room: event.personalRoom,
  });
  return withInner(frame, event.data);
}

function recovered(event: Extract<ServerEvent, { kind: 'recovered' }>): Json {
  return system('recovered', event, {
    recovered: event.recovered,
    reason: event.reason,
    replayed: event.replayed,
  });
}

function errorFrame({ ref, room, rejection }: Extract<ServerEvent, { kind: 'error' }>): Json {
  return JSON.stringify({ type: 'error', ref, room, data: errorData(rejection) });
}

function timestamp(at: number): string {
  return new Date(at).toISOString();
}

export function optionalTimestamp(at: number | undefined): string | undefined {
  return at === undefined ? undefined : timestamp(at);
}

/** The fields of an error in both dialects. */
export function errorData({ code, error, retryAfterMs }: Rejection) {
  return { code, error, retry_after_ms: retryAfterMs };
}

export function memberJson({ userId, status, meta, updatedAt }: Member): Json {
  const user = JSON.stringify(userId);
  // Joined, not a template: V8 would keep the pieces of a template apart, and the text is kept.
  return [
    '{"user_id":',
    user,
    ',"status":"',
    status,
    '","meta":',
    meta,
    ',"updated_at":',
    updatedAt,
    '}',
  ].join('');
}

const listedMember = writtenOnce(memberJson);

interface Head {
  readonly room?: string | undefined;
  readonly ref?: string | undefined;
  readonly at: number;
}

function system(event: string, { room, ref, at }: Head, data?: object): Json {
  return JSON.stringify({ type: 'system', event, room, from: SYSTEM, ref, data, timestamp: timestamp(at) });
}

function joined(event: Joined & { at: number }): Json {
  const data = {
    position: event.position,
    count: event.count,
    recovered: event.recovery?.recovered,
    reason: event.recovery?.reason,
    replayed: event.replayed,
    rule: event.rule,
    max_data_bytes: event.maxDataBytes,
  };
  const frame = withInner(system('joined', event, data), event.data);
  return event.members === undefined ? frame : withMembers(frame, event.members);
}

function census({ members, ...event }: Extract<ServerEvent, { kind: 'census' }>): Json {
  return withMembers(system('members', event, { count: event.count }), members);
}

/** Appends data to a frame: it is JSON text already. */
export function withData(frame: object, data: Json): Json {
  return `${JSON.stringify(frame).slice(0, -1)},"data":${data}}`;
}

/** Inserts what a hook or the backend says to the client as `data.data`; it is JSON text already. */
function withInner(frame: Json, data: Json | undefined): Json {
  return data === undefined ? frame : frame.replace('"data":{', () => `"data":{"data":${data},`);
}

/** Inserts the members as text, because their `meta` is JSON text already. */
function withMembers(frame: Json, members: readonly Member[]): Json {
  return frame.replace('"data":{', () => `"data":{"members":${memberList(members, listedMember)},`);
}

function presence({ room, change, member, at }: Extract<ServerEvent, { kind: 'presence' }>): Json {
  const user = JSON.stringify(member.userId);
  const status = change === 'leave' ? 'offline' : member.status;
  const data = `{"user_id":${user},"status":"${status}","meta":${member.meta}}`;
  return `{"type":"presence","room":"${room}","from":${user},"data":${data},"timestamp":"${timestamp(at)}"}`;
}
