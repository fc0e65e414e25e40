import {
  AS_NAMED,
  BACK_AFTER,
  ANY,
  APPLICATION_DATA,
  CODE,
  COUNT,
  EPHEMERAL,
  ERROR_TEXT,
  EVENT,
  fixed,
  frame,
  type Frame,
  FROM,
  ID,
  list,
  META,
  number,
  object,
  POSITION,
  PROVISIONAL,
  PROVISIONAL_ID,
  POSITION_EXAMPLE as position,
  REASON,
  RECOVERED,
  REF,
  REPLAYED,
  RETRY_AFTER,
  ROOM,
  SECONDS,
  text,
  TIME_EXAMPLE as timestamp,
  TIMESTAMP,
  USER,
} from './frame.ts';

export const ADDRESSEE = text('The addressee: a user id, or `conn:` and a connection id.', {
  minLength: 1,
  maxLength: 256,
});
const SHOWN = { enum: ['online', 'away'] };

const SYSTEM = { from: fixed('system'), timestamp: TIMESTAMP };
const MEMBER = object({ user_id: USER, status: SHOWN, meta: META, updated_at: SECONDS }, [
  'user_id',
  'status',
  'meta',
  'updated_at',
]);
const PRESENT = list(MEMBER, 'The users who are present.');
const RECOVERY = { recovered: RECOVERED, reason: REASON, replayed: REPLAYED };

/** Events about the connection itself and its rooms. */
const SYSTEM_EVENTS: Readonly<Record<string, Frame>> = {
  connected: frame(
    'system',
    'Confirms the connection, as its first frame.',
    {
      event: fixed('connected'),
      ...SYSTEM,
      data: object(
        {
          connection_id: text('The id of this connection, unique among all pods.'),
          user_id: USER,
          heartbeat_seconds: number('The number of seconds between two pings of the server.'),
          max_message_bytes: number(
            'How many bytes a frame of the client may have. A longer one closes the connection with code 1009.',
          ),
          personal_room: text(
            "The user's own room, if the server has such rooms. The connection joins it by itself.",
          ),
          data: APPLICATION_DATA,
        },
        ['connection_id', 'user_id', 'heartbeat_seconds', 'max_message_bytes'],
      ),
    },
    ['type', 'event', 'from', 'data', 'timestamp'],
    {
      type: 'system',
      event: 'connected',
      from: 'system',
      data: {
        connection_id: 'Zm9vYmFyYmF6',
        user_id: 'alice',
        heartbeat_seconds: 25,
        max_message_bytes: 65_536,
      },
      timestamp,
    },
  ),
  joined: frame(
    'system',
    'Answers a join. The replayed messages follow, then live ones.',
    {
      event: fixed('joined'),
      room: ROOM,
      ref: REF,
      ...SYSTEM,
      data: object(
        { members: PRESENT, position: POSITION, count: COUNT, ...RECOVERY, data: APPLICATION_DATA },
        ['position', 'count', 'replayed'],
      ),
    },
    ['type', 'event', 'room', 'from', 'data', 'timestamp'],
    {
      type: 'system',
      event: 'joined',
      room: 'lobby',
      from: 'system',
      ref: '2',
      data: {
        members: [{ user_id: 'alice', status: 'online', meta: {}, updated_at: 1_767_225_600 }],
        position,
        count: 1,
        recovered: true,
        replayed: 3,
      },
      timestamp,
    },
  ),
  left: frame(
    'system',
    'Answers a leave.',
    { event: fixed('left'), room: ROOM, ref: REF, ...SYSTEM },
    ['type', 'event', 'room', 'from', 'timestamp'],
    { type: 'system', event: 'left', room: 'lobby', from: 'system', ref: '3', timestamp },
  ),
  members: frame(
    'system',
    'Reports how many users are present in a room that is too large for single joins and leaves, at most once a ' +
      'second. If changes may have been missed, `members` lists the users who are present.',
    {
      event: fixed('members'),
      room: ROOM,
      ...SYSTEM,
      data: object({ members: PRESENT, count: COUNT }, ['count']),
    },
    ['type', 'event', 'room', 'from', 'data', 'timestamp'],
    { type: 'system', event: 'members', room: 'lobby', from: 'system', data: { count: 1_200 }, timestamp },
  ),
  recovered: frame(
    'system',
    'Reports missing messages in an open connection. The messages that are still stored follow.',
    { event: fixed('recovered'), room: ROOM, ...SYSTEM, data: object(RECOVERY, ['recovered', 'replayed']) },
    ['type', 'event', 'room', 'from', 'data', 'timestamp'],
    {
      type: 'system',
      event: 'recovered',
      room: 'lobby',
      from: 'system',
      data: { recovered: false, reason: 'trimmed', replayed: 40 },
      timestamp,
    },
  ),
  drain: frame(
    'system',
    'Announces that another pod takes over: this connection is about to be closed with code 1012.',
    {
      event: fixed('drain'),
      ...SYSTEM,
      data: object({ reconnect_after_ms: BACK_AFTER }, ['reconnect_after_ms']),
    },
    ['type', 'event', 'from', 'data', 'timestamp'],
    { type: 'system', event: 'drain', from: 'system', data: { reconnect_after_ms: 1_250 }, timestamp },
  ),
  authenticated: frame(
    'system',
    'Accepts the new token of an auth frame.',
    { event: fixed('authenticated'), ref: REF, ...SYSTEM, data: object({ expires_at: TIMESTAMP }) },
    ['type', 'event', 'from', 'data', 'timestamp'],
    {
      type: 'system',
      event: 'authenticated',
      from: 'system',
      ref: '5',
      data: { expires_at: '2026-01-01T01:00:00.000Z' },
      timestamp,
    },
  ),
};

/** What the server sends in the message dialect. */
export const MESSAGE_EVENTS: Readonly<Record<string, Frame>> = {
  ...SYSTEM_EVENTS,
  message: frame(
    ['chat', 'notification'],
    'Carries a published message. A publisher that is a member of the room receives it too.',
    {
      id: ID,
      room: ROOM,
      to: ADDRESSEE,
      from: FROM,
      event: EVENT,
      data: ANY,
      timestamp: TIMESTAMP,
      ephemeral: EPHEMERAL,
      provisional: PROVISIONAL,
      provisional_id: PROVISIONAL_ID,
    },
    ['id', 'type', 'from', 'data', 'timestamp'],
    {
      id: position,
      type: 'chat',
      room: 'lobby',
      from: 'alice',
      event: 'said',
      data: { text: 'hi' },
      timestamp,
    },
  ),
  presenceChanged: frame(
    'presence',
    'Reports that a user joined, left, or changed its status or meta.',
    {
      room: ROOM,
      from: USER,
      data: object({ user_id: USER, status: { enum: ['online', 'away', 'offline'] }, meta: META }, [
        'user_id',
        'status',
        'meta',
      ]),
      timestamp: TIMESTAMP,
    },
    ['type', 'room', 'from', 'data', 'timestamp'],
    {
      type: 'presence',
      room: 'lobby',
      from: 'alice',
      data: { user_id: 'alice', status: 'away', meta: {} },
      timestamp,
    },
  ),
  ack: frame(
    'ack',
    'Answers a frame that had a `ref` and has no other answer.',
    { ref: REF, id: ID, room: ROOM },
    ['type', 'ref'],
    { type: 'ack', ref: '1', id: position, room: 'lobby' },
  ),
  pong: frame('pong', 'Answers a ping.', { ref: REF, timestamp: TIMESTAMP }, ['type', 'timestamp'], {
    type: 'pong',
    ref: '4',
    timestamp,
  }),
  result: frame('result', 'Answers a call.', { ref: REF, data: ANY }, ['type', 'data'], {
    type: 'result',
    ref: '6',
    data: { sum: 3 },
  }),
  error: frame(
    'error',
    'Rejects a frame. Only the client that sent it receives this, and the connection stays open.',
    {
      ref: REF,
      room: AS_NAMED,
      data: object({ code: CODE, error: ERROR_TEXT, retry_after_ms: RETRY_AFTER }, ['code', 'error']),
    },
    ['type', 'data'],
    { type: 'error', ref: '1', data: { code: 'rate_limited', error: 'too many', retry_after_ms: 250 } },
  ),
};
