import {
  AS_NAMED,
  BACK_AFTER,
  ANY,
  CHANNEL,
  CODE,
  COUNT,
  EPHEMERAL,
  ERROR_TEXT,
  EVENT,
  frame,
  type Frame,
  ID,
  list,
  META,
  MEMBERS,
  MILLISECONDS,
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
  TIME_EXAMPLE,
  TIMESTAMP,
  TOKEN,
  USER,
} from './frame.ts';

const ROW = { user_id: USER, meta: META, updated_at: SECONDS };
const ROW_EXAMPLE = { user_id: 'alice', meta: { name: 'Alice' }, updated_at: 1_767_225_600 };
const channel = 'lobby';

/** What a client of the channel dialect sends (docs/protocol.md, "Channel dialect"). */
export const CHANNEL_COMMANDS: Readonly<Record<string, Frame>> = {
  subscribe: frame(
    'subscribe',
    'Subscribes to a channel. If the client has subscribed before, `listen` replaces the previous list.',
    {
      channel: CHANNEL,
      listen: list(
        { enum: ['broadcast', 'presence'] },
        'What the client receives from the channel. The default is `broadcast` alone.',
      ),
      last_id: POSITION,
      history: number('How many of the last messages to replay.'),
      members: MEMBERS,
      ref: REF,
    },
    ['type', 'channel'],
    { type: 'subscribe', channel, listen: ['broadcast', 'presence'], last_id: position, ref: '1' },
  ),
  unsubscribe: frame(
    'unsubscribe',
    'Ends the subscription to a channel.',
    { channel: CHANNEL, ref: REF },
    ['type', 'channel'],
    {
      type: 'unsubscribe',
      channel,
      ref: '2',
    },
  ),
  broadcast: frame(
    'broadcast',
    'Publishes to a channel, or to everybody if the channel is `@global`.',
    { channel: CHANNEL, event: EVENT, payload: ANY, ephemeral: EPHEMERAL, ref: REF },
    ['type', 'channel'],
    { type: 'broadcast', channel, event: 'said', payload: { text: 'hi' }, ref: '3' },
  ),
  presenceStatement: frame(
    ['presence_join', 'presence_update'],
    'States that the user is present in the channel, and sets its meta.',
    { channel: ROOM, payload: META, ref: REF },
    ['type', 'channel'],
    { type: 'presence_join', channel, payload: { name: 'Alice' } },
    { type: 'presence_update', channel, payload: { name: 'Alice', status: 'typing' } },
  ),
  presenceLeave: frame(
    'presence_leave',
    'States that the user is no longer present in the channel.',
    { channel: ROOM, ref: REF },
    ['type', 'channel'],
    { type: 'presence_leave', channel },
  ),
  authenticate: frame(
    'auth',
    'Sends a new token before the old one expires.',
    { token: TOKEN, ref: REF },
    ['type', 'token'],
    { type: 'auth', token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', ref: '5' },
  ),
};

/** What every client of the channel dialect may receive. */
const SEED_EVENTS: Readonly<Record<string, Frame>> = {
  published: frame(
    'broadcast',
    'Carries a published message. Only a client that named the dialect receives `id` and the fields after it.',
    {
      channel: CHANNEL,
      event: EVENT,
      payload: ANY,
      user_id: USER,
      ts: MILLISECONDS,
      id: ID,
      ephemeral: EPHEMERAL,
      provisional: PROVISIONAL,
      provisional_id: PROVISIONAL_ID,
    },
    ['type', 'channel', 'event', 'payload', 'ts'],
    {
      type: 'broadcast',
      channel,
      event: 'said',
      payload: { text: 'hi' },
      user_id: 'alice',
      ts: 1_767_225_600_000,
      id: position,
    },
  ),
  presenceEvent: frame(
    ['presence_join', 'presence_update', 'presence_leave'],
    'Reports that a user joined, left, or changed its meta.',
    { channel: ROOM, ...ROW, ts: MILLISECONDS },
    ['type', 'channel', 'user_id', 'meta', 'updated_at', 'ts'],
    { type: 'presence_join', channel, ...ROW_EXAMPLE, ts: 1_767_225_600_000 },
  ),
  presenceSync: frame(
    'presence_sync',
    'Answers a subscription that includes presence.',
    {
      channel: ROOM,
      users: list(object(ROW, ['user_id', 'meta', 'updated_at']), 'The users who are present.'),
    },
    ['type', 'channel', 'users'],
    { type: 'presence_sync', channel, users: [ROW_EXAMPLE] },
  ),
};

/** What the server sends in the channel dialect. */
export const CHANNEL_EVENTS: Readonly<Record<string, Frame>> = {
  ...SEED_EVENTS,
  subscribed: frame(
    'subscribed',
    'Answers a subscription. The replayed broadcasts follow, then live ones.',
    {
      channel: ROOM,
      position: POSITION,
      recovered: RECOVERED,
      reason: REASON,
      replayed: REPLAYED,
      count: COUNT,
      ref: REF,
    },
    ['type', 'channel', 'position', 'replayed', 'count'],
    { type: 'subscribed', channel, position, recovered: true, replayed: 3, count: 2, ref: '1' },
  ),
  unsubscribed: frame(
    'unsubscribed',
    'Answers an unsubscribe frame.',
    { channel: CHANNEL, ref: REF },
    ['type', 'channel'],
    { type: 'unsubscribed', channel, ref: '2' },
  ),
  acknowledged: frame(
    'ack',
    'Answers a frame that had a `ref` and has no other answer.',
    { ref: REF, id: ID, channel: CHANNEL },
    ['type', 'ref'],
    { type: 'ack', ref: '3', id: position, channel },
  ),
  refused: frame(
    'error',
    'Rejects a frame. Only the client that sent it receives this, and the connection stays open.',
    { channel: AS_NAMED, code: CODE, error: ERROR_TEXT, retry_after_ms: RETRY_AFTER, ref: REF },
    ['type', 'code', 'error'],
    { type: 'error', channel, code: 'forbidden', error: 'you have no permission for this', ref: '4' },
  ),
  gap: frame(
    'recovered',
    'Reports missing messages in an open connection. The messages that are still stored follow.',
    { channel: ROOM, recovered: RECOVERED, reason: REASON, replayed: REPLAYED },
    ['type', 'channel', 'recovered', 'replayed'],
    { type: 'recovered', channel, recovered: false, reason: 'trimmed', replayed: 40 },
  ),
  memberCount: frame(
    'members',
    'Reports how many users are present in a channel that is too large for single joins and leaves, at most once a second.',
    { channel: ROOM, count: COUNT },
    ['type', 'channel', 'count'],
    { type: 'members', channel, count: 1_200 },
  ),
  drain: frame(
    'drain',
    'Announces that another pod takes over: this connection is about to be closed with code 1012.',
    { reconnect_after_ms: BACK_AFTER },
    ['type', 'reconnect_after_ms'],
    { type: 'drain', reconnect_after_ms: 1_250 },
  ),
  tokenTaken: frame(
    'authenticated',
    'Accepts the new token of an auth frame.',
    { expires_at: TIMESTAMP, ref: REF },
    ['type'],
    {
      type: 'authenticated',
      expires_at: TIME_EXAMPLE,
      ref: '5',
    },
  ),
};
