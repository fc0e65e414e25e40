import { type Command, type Decoded, LISTEN } from './command.ts';
import { DIRECT, GLOBAL, isRoomName } from './names.ts';
import {
  anyJson,
  callOf,
  decodeWith,
  type Fields,
  invalid,
  optionalBoolean,
  optionalCount,
  optionalMeta,
  optionalRef,
  optionalString,
  requiredString,
  parseFields,
} from './fields.ts';

const FROM_SERVER_ONLY = new Set([
  'presence_sync',
  'subscribed',
  'unsubscribed',
  'ack',
  'error',
  'drain',
  'result',
]);

/** Decodes a client's frame of the channel dialect (docs/protocol.md, "Channel dialect"; seed lowcode-realtime 3.1). */
export function decodeChannelFrame(frame: string): Decoded {
  return decodeWith(frame, 'channel', toCommand);
}

/** Whether the first frame of a client that named no dialect belongs to the channel dialect. */
export function looksLikeChannelFrame(frame: string): boolean {
  try {
    return Object.hasOwn(parseFields(frame), 'channel');
  } catch {
    return false;
  }
}

function toCommand(fields: Fields): Command {
  const type = optionalString(fields, 'type');
  const ref = optionalRef(fields);
  switch (type) {
    case 'subscribe':
      return subscribe(fields);
    case 'unsubscribe':
      return { kind: 'leave', room: channelOf(fields, DIRECT, GLOBAL), absent: false, ref };
    case 'broadcast':
      return broadcast(fields);
    case 'presence_join':
    case 'presence_update':
      return present(fields);
    case 'auth':
      return { kind: 'auth', token: requiredString(fields, 'token'), ref };
    case 'call':
      return callOf(fields, fields['data']);
    case 'presence_leave':
      return { kind: 'presence', room: channelOf(fields), status: 'offline', membersOnly: false, ref };
    default:
      throw invalid(type !== undefined && FROM_SERVER_ONLY.has(type) ? 'type_not_allowed' : 'unknown_type');
  }
}

function broadcast(fields: Fields): Command {
  return {
    kind: 'publish',
    type: 'chat',
    room: channelOf(fields, GLOBAL),
    event: optionalString(fields, 'event') ?? 'message',
    data: anyJson(fields['payload']),
    ephemeral: optionalBoolean(fields, 'ephemeral'),
    ref: optionalRef(fields),
  };
}

function present(fields: Fields): Command {
  return {
    kind: 'presence',
    room: channelOf(fields),
    status: 'online',
    meta: optionalMeta(fields, 'payload') ?? '{}',
    membersOnly: false,
    ref: optionalRef(fields),
  };
}

function subscribe(fields: Fields): Command {
  return {
    kind: 'join',
    room: channelOf(fields, DIRECT, GLOBAL),
    listen: listen(fields['listen'] ?? ['broadcast'], optionalBoolean(fields, 'members', true)),
    present: false,
    lastId: optionalString(fields, 'last_id'),
    history: optionalCount(fields, 'history'),
    ref: optionalRef(fields),
  };
}

function listen(value: unknown, withLists: boolean): number {
  const presence = withLists ? LISTEN.presence | LISTEN.lists : LISTEN.presence;
  const known: Record<string, number> = { broadcast: LISTEN.messages, presence };
  const wrong = () => invalid('invalid_message', 'listen must be a list of "broadcast" and "presence"');
  if (!Array.isArray(value)) throw wrong();
  let bits: number = LISTEN.none;
  for (const name of value as unknown[]) {
    if (typeof name !== 'string' || !Object.hasOwn(known, name)) throw wrong();
    bits |= known[name] ?? LISTEN.none;
  }
  return bits;
}

/** A room name, or one of `others`: channels that are not rooms. */
function channelOf(fields: Fields, ...others: string[]): string {
  const { channel } = fields;
  if (isRoomName(channel)) return channel;
  if (typeof channel === 'string' && others.includes(channel)) return channel;
  throw invalid('invalid_room');
}
