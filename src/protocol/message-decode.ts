import { type Command, type Decoded, LISTEN, type Status } from './command.ts';
import {
  anyJson,
  callOf,
  decodeWith,
  type Fields,
  invalid,
  isObject,
  optionalBoolean,
  optionalCount,
  optionalMeta,
  optionalRef,
  optionalRoom,
  optionalString,
  requiredString,
} from './fields.ts';
import { CONNECTION_PREFIX, isUserId } from './names.ts';
import type { MessageType } from './message.ts';

/** Decodes a client's frame of the message dialect (docs/protocol.md, "Message dialect"). */
export function decodeMessageFrame(frame: string): Decoded {
  return decodeWith(frame, 'room', toCommand);
}

function toCommand(fields: Fields): Command {
  const type = optionalString(fields, 'type') ?? 'chat';
  switch (type) {
    case 'chat':
    case 'notification':
      return publication(type, fields);
    case 'join':
      return join(fields);
    case 'leave':
      return { kind: 'leave', room: roomOf(fields), absent: true, ref: optionalRef(fields) };
    case 'presence':
      return presence(fields);
    case 'ping':
      return { kind: 'ping', ref: optionalRef(fields) };
    case 'auth':
      return { kind: 'auth', token: requiredString(dataOf(fields), 'token'), ref: optionalRef(fields) };
    case 'call':
      return callOf(fields, fields['data']);
    case 'system':
    case 'error':
    case 'ack':
    case 'pong':
    case 'result':
      throw invalid('type_not_allowed');
    default:
      throw invalid('unknown_type');
  }
}

function publication(type: MessageType, fields: Fields): Command {
  const shared = {
    type,
    event: optionalString(fields, 'event'),
    data: anyJson(fields['data']),
    ref: optionalRef(fields),
  };
  const { to } = fields;
  const room = optionalRoom(fields['room']);
  const ephemeral = optionalBoolean(fields, 'ephemeral');
  if (to === undefined) return { kind: 'publish', ...shared, room, ephemeral };
  if (room !== undefined) throw invalid('invalid_message', 'send either room or to, not both');
  if (!isAddressee(to)) throw invalid('invalid_message', 'to must be a user id or conn:<connection id>');
  return { kind: 'direct', ...shared, to };
}

/** Empty and null are invalid. If they counted as absent, a message meant for one user would go to everybody. */
function isAddressee(to: unknown): to is string {
  if (typeof to !== 'string') return false;
  if (!to.startsWith(CONNECTION_PREFIX)) return isUserId(to);
  return /^[A-Za-z0-9_-]{1,64}$/.test(to.slice(CONNECTION_PREFIX.length));
}

function join(fields: Fields): Command {
  return {
    kind: 'join',
    room: roomOf(fields),
    listen: optionalBoolean(fields, 'members', true) ? LISTEN.all : LISTEN.all & ~LISTEN.lists,
    present: true,
    lastId: optionalString(fields, 'last_id'),
    history: optionalCount(fields, 'history'),
    ref: optionalRef(fields),
  };
}

function presence(fields: Fields): Command {
  const data = dataOf(fields);
  return {
    kind: 'presence',
    room: roomOf(fields),
    status: status(data['status']),
    meta: optionalMeta(data, 'meta'),
    membersOnly: true,
    ref: optionalRef(fields),
  };
}

function status(value: unknown): Status | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === 'online' || value === 'away' || value === 'offline') return value;
  throw invalid('invalid_message', 'status must be online, away or offline');
}

/** Clients of the seed systems put the room of a join or leave into `data`. */
function roomOf(fields: Fields): string | undefined {
  return optionalRoom(fields['room']) ?? optionalRoom(dataOf(fields)['room']);
}

/**
 * Other `data` than an object is invalid: if it were ignored, the command would do something the client did not mean.
 */
function dataOf(fields: Fields): Fields {
  const { data } = fields;
  if (data === undefined || data === null) return {};
  if (!isObject(data)) throw invalid('invalid_message', 'data must be an object');
  return data;
}
