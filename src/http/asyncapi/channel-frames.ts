import {
  AS_NAMED,
  BACK_AFTER,
  ANY,
  CHANNEL,
  CODE,
  COUNT,
  EPHEMERAL,
  EVENT,
  frame,
  type Frame,
  ID,
  list,
  META,
  MILLISECONDS,
  number,
  object,
  PERSON,
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
    'Listens to a channel; `listen` replaces what was listened to before.',
    {
      channel: CHANNEL,
      listen: list({ enum: ['broadcast', 'presence'] }, 'What to hear; `broadcast` unless told.'),
      last_id: POSITION,
      history: number('So many of the last messages.'),
      ref: REF,
    },
    ['type', 'channel'],
    { type: 'subscribe', channel, listen: ['broadcast', 'presence'], last_id: position, ref: '1' },
  ),
  unsubscribe: frame('unsubscribe', 'Listens no more.', { channel: CHANNEL, ref: REF }, ['type', 'channel'], {
    type: 'unsubscribe',
    channel,
    ref: '2',
  }),
  broadcast: frame(
    'broadcast',
    'Publishes in a channel; in `@global` to everybody.',
    { channel: CHANNEL, event: EVENT, payload: ANY, ephemeral: EPHEMERAL, ref: REF },
    ['type', 'channel'],
    { type: 'broadcast', channel, event: 'said', payload: { text: 'hi' }, ref: '3' },
  ),
  presenceStatement: frame(
    ['presence_join', 'presence_update'],
    'Says that the user is there, and what of itself.',
    { channel: ROOM, payload: META, ref: REF },
    ['type', 'channel'],
    { type: 'presence_join', channel, payload: { name: 'Alice' } },
    { type: 'presence_update', channel, payload: { name: 'Alice', status: 'typing' } },
  ),
  presenceLeave: frame(
    'presence_leave',
    'Says that the user is no longer there.',
    { channel: ROOM, ref: REF },
    ['type', 'channel'],
    { type: 'presence_leave', channel },
  ),
  authenticate: frame(
    'auth',
    'Brings a new token before the old one ends.',
    { token: TOKEN, ref: REF },
    ['type', 'token'],
    { type: 'auth', token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', ref: '5' },
  ),
};

/** What every client of the channel dialect may get. */
const SEED_EVENTS: Readonly<Record<string, Frame>> = {
  published: frame(
    'broadcast',
    'What was published. Only who named the dialect gets `id` and what follows it.',
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
    'A user came, went, or says something else of itself.',
    { channel: ROOM, ...ROW, ts: MILLISECONDS },
    ['type', 'channel', 'user_id', 'meta', 'updated_at', 'ts'],
    { type: 'presence_join', channel, ...ROW_EXAMPLE, ts: 1_767_225_600_000 },
  ),
  presenceSync: frame(
    'presence_sync',
    'Answers a subscription that listens to presence.',
    { channel: ROOM, users: list(object(ROW, ['user_id', 'meta', 'updated_at']), 'Who is present.') },
    ['type', 'channel', 'users'],
    { type: 'presence_sync', channel, users: [ROW_EXAMPLE] },
  ),
};

/** What the server sends in the channel dialect. */
export const CHANNEL_EVENTS: Readonly<Record<string, Frame>> = {
  ...SEED_EVENTS,
  subscribed: frame(
    'subscribed',
    'Answers a subscription; the replayed broadcasts follow, then live ones.',
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
    'Answers an unsubscription.',
    { channel: CHANNEL, ref: REF },
    ['type', 'channel'],
    { type: 'unsubscribed', channel, ref: '2' },
  ),
  acknowledged: frame(
    'ack',
    'Answers whatever carried a ref.',
    { ref: REF, id: ID, channel: CHANNEL },
    ['type', 'ref'],
    { type: 'ack', ref: '3', id: position, channel },
  ),
  refused: frame(
    'error',
    'To the sender alone; the connection stays open.',
    { channel: AS_NAMED, code: CODE, error: PERSON, retry_after_ms: RETRY_AFTER, ref: REF },
    ['type', 'code', 'error'],
    { type: 'error', channel, code: 'forbidden', error: 'no permission for this', ref: '4' },
  ),
  gap: frame(
    'recovered',
    'A gap in the middle of a connection; what is kept follows.',
    { channel: ROOM, recovered: RECOVERED, reason: REASON, replayed: REPLAYED },
    ['type', 'channel', 'recovered', 'replayed'],
    { type: 'recovered', channel, recovered: false, reason: 'trimmed', replayed: 40 },
  ),
  memberCount: frame(
    'members',
    'How many are present in a channel too large for single joins and leaves; at most once a second.',
    { channel: ROOM, count: COUNT },
    ['type', 'channel', 'count'],
    { type: 'members', channel, count: 1_200 },
  ),
  drain: frame(
    'drain',
    'Another pod takes over: the connection is about to be closed with 1012.',
    { reconnect_after_ms: BACK_AFTER },
    ['type', 'reconnect_after_ms'],
    { type: 'drain', reconnect_after_ms: 1_250 },
  ),
  tokenTaken: frame('authenticated', 'Answers auth.', { expires_at: TIMESTAMP, ref: REF }, ['type'], {
    type: 'authenticated',
    expires_at: TIME_EXAMPLE,
    ref: '5',
  }),
};
