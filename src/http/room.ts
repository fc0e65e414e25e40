import { memberJson } from '../protocol/message-encode.ts';
import { answerText, BAD_REQUEST, AUTH_ERRORS, AUTH_SCHEMES, json } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { limit, MessageId, RoomName, Timestamp, UserId } from './schemas.ts';
import type { Api } from './api-env.ts';
import { FROM_PATTERN } from './patterns.ts';
import type { Pod } from '../core/commands/pod.ts';
import { withId } from '../protocol/message.ts';

const Row = z
  .object({
    user_id: UserId,
    status: z.enum(['online', 'away']).openapi({ description: 'The status that the user set.' }),
    meta: z.record(z.string(), z.unknown()).openapi({
      description: 'What the user states about itself, as a JSON object.',
      example: { device: 'phone' },
    }),
    updated_at: z.int().openapi({
      description: 'When status or meta last changed, in seconds since 1970.',
      example: 1_767_225_600,
    }),
  })
  .openapi('Member');

const Presence = z.object({ room: RoomName, members: z.array(Row) }).openapi('Presence');

const getPresence = createRoute({
  method: 'get',
  path: '/api/rooms/{room}/presence',
  operationId: 'getPresence',
  tags: ['rooms'],
  summary: 'Lists the members of a room on all pods.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ room: RoomName }) },
  responses: {
    200: json('The answer lists all members of the room.', Presence),
    ...BAD_REQUEST,
    ...AUTH_ERRORS,
  },
});

const State = z
  .object({
    room: RoomName,
    connections: z
      .int()
      .openapi({ description: 'The number of connections in the room, on all pods.', example: 3 }),
    members: z
      .int()
      .openapi({ description: 'The number of users present in the room, on all pods.', example: 2 }),
    rule: z.string().nullable().openapi({
      description: 'The `match` of the rule that holds for the room; null if no rule fits.',
      example: 'news-*',
    }),
  })
  .openapi('Room');

const getRoom = createRoute({
  method: 'get',
  path: '/api/rooms/{room}',
  operationId: 'getRoom',
  tags: ['rooms'],
  summary: 'Counts the connections and members of a room, and names its rule.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ room: RoomName }) },
  responses: { 200: json('The state of the room.', State), ...BAD_REQUEST, ...AUTH_ERRORS },
});

const HistoryQuery = z.object({
  after: z.string({ error: 'must be a position' }).optional().openapi({
    description: 'A position. The page begins after it; without it, the page has the newest messages.',
  }),
  limit: limit(1_000, 100),
});

const Message = z
  .object({
    id: MessageId,
    type: z.enum(['chat', 'notification']),
    room: RoomName,
    from: z.string().openapi({
      minLength: 1,
      maxLength: 256,
      pattern: FROM_PATTERN,
      description: 'The publisher: a user id, or `system` for the server itself.',
      example: 'alice',
    }),
    event: z
      .string()
      .optional()
      .openapi({ description: 'The kind of message, as the application names it.', example: 'said' }),
    data: z
      .unknown()
      .openapi({ description: 'Any JSON value, as it was published.', example: { text: 'hi' } }),
    timestamp: Timestamp,
    provisional_id: z
      .string()
      .optional()
      .openapi({
        description:
          'Another id of the same message, under which it may have been delivered before. Drop the message if you have ' +
          'already received that id.',
      }),
  })
  .openapi('Message');

const History = z
  .object({
    room: RoomName,
    messages: z.array(Message).openapi({ description: 'The messages of this page, oldest first.' }),
    position: MessageId.openapi({
      description: 'The position where this page ends. Send it as `after` to get the next page.',
    }),
    more: z
      .boolean()
      .openapi({ description: 'True if there are more messages after `position`.', example: false }),
    recovered: z.boolean().optional().openapi({
      description: 'True if no message after `after` is missing. It is absent if `after` was not sent.',
    }),
    reason: z
      .enum(['trimmed', 'expired', 'unknown_position', 'history_lost', 'unavailable'])
      .optional()
      .openapi({
        description:
          'Why messages are missing. The page then has the stored messages after `after`, or all stored messages if ' +
          'the position itself is gone.',
      }),
  })
  .openapi('History');

const getHistory = createRoute({
  method: 'get',
  path: '/api/rooms/{room}/history',
  operationId: 'getHistory',
  tags: ['rooms'],
  summary: 'Reads the stored messages of a room.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ room: RoomName }), query: HistoryQuery },
  responses: { 200: json('The answer is one page of messages.', History), ...BAD_REQUEST, ...AUTH_ERRORS },
});

export function roomStateRoutes(api: Api, { broker, directory, roster, rules }: Pod): void {
  api.openapi(getRoom, async (c) => {
    const { room } = c.req.valid('param');
    // The room itself is the first of all rooms whose names begin with its name.
    const [rooms, members] = await Promise.all([directory.rooms(room, '', 1), roster.countAll(room)]);
    const connections = rooms[0]?.room === room ? rooms[0].connections : 0;
    return c.json({ room, connections, members, rule: rules.ruleOf(room).match ?? null }, 200);
  });

  api.openapi(getPresence, async (c) => {
    const { room } = c.req.valid('param');
    const { members } = await roster.listAll(room);
    return answerText(c, `{"room":"${room}","members":[${members.map(memberJson).join(',')}]}`);
  });

  api.openapi(getHistory, async (c) => {
    const { room } = c.req.valid('param');
    const { after, limit } = c.req.valid('query');
    // An empty `after` counts as absent, as an empty `last_id` does in the address of a socket.
    const page = await broker.read(room, after ? { after } : { newest: limit }, limit);
    const { position, more, missing: reason } = page;
    const recovered = after ? reason === undefined : undefined;
    const messages = page.messages
      .map(({ id, body, provisionalId }) => withId(id, body, provisionalId))
      .join(',');
    const end = JSON.stringify({ position, more, recovered, reason }).slice(1);
    return answerText(c, `{"room":"${room}","messages":[${messages}],${end}`);
  });
}
