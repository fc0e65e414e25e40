import {
  ANY,
  EVENT,
  EPHEMERAL,
  frame,
  type Frame,
  META,
  METHOD,
  number,
  object,
  MEMBERS,
  POSITION,
  POSITION_EXAMPLE as position,
  REF,
  ROOM,
  TOKEN,
} from './frame.ts';
import { ADDRESSEE } from './message-frames.ts';

const PUBLICATION = { event: EVENT, data: ANY, ref: REF };

/** What a client of the message dialect sends (docs/protocol.md, "Message dialect"). */
export const MESSAGE_COMMANDS: Readonly<Record<string, Frame>> = {
  chat: frame(
    ['chat', 'notification'],
    'Publishes to a room, or with `to` to a user or connection; without both to the room of the address, else to everybody.',
    { room: ROOM, to: ADDRESSEE, ephemeral: EPHEMERAL, ...PUBLICATION },
    [],
    { type: 'chat', room: 'lobby', event: 'said', data: { text: 'hi' }, ref: '1' },
    { type: 'notification', room: 'lobby', data: { title: 'hi' } },
    { type: 'chat', to: 'bob', data: { text: 'psst' } },
  ),
  join: frame(
    'join',
    'Joins a room. `last_id` resumes it after a position; `history` replays its last messages.',
    {
      room: ROOM,
      last_id: POSITION,
      history: number('How many of the last messages to replay.'),
      members: MEMBERS,
      ref: REF,
    },
    ['type'],
    { type: 'join', room: 'lobby', last_id: position, ref: '2' },
    { type: 'join', room: 'lobby', history: 50 },
  ),
  leave: frame('leave', 'Leaves a room.', { room: ROOM, ref: REF }, ['type'], {
    type: 'leave',
    room: 'lobby',
    ref: '3',
  }),
  presence: frame(
    'presence',
    'Sets the status and meta of the user in a room.',
    { room: ROOM, data: object({ status: { enum: ['online', 'away', 'offline'] }, meta: META }), ref: REF },
    ['type'],
    { type: 'presence', room: 'lobby', data: { status: 'away', meta: { device: 'phone' } } },
  ),
  ping: frame('ping', 'Asks the server for a pong.', { ref: REF }, ['type'], {
    type: 'ping',
    ref: '4',
  }),
  auth: frame(
    'auth',
    'Sends a new token before the old one expires.',
    { data: object({ token: TOKEN }, ['token']), ref: REF },
    ['type', 'data'],
    { type: 'auth', data: { token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln' }, ref: '5' },
  ),
  call: frame(
    'call',
    'Asks the application behind the server.',
    { method: METHOD, data: ANY, ref: REF },
    ['type', 'method'],
    { type: 'call', method: 'sum', data: [1, 2], ref: '6' },
  ),
};
