import { memberJson } from '../protocol/message-encode.ts';
import { answerText, BAD_REQUEST, GUARDED, GUARDED_BY, json } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { limit, MessageId, RoomName, Timestamp, UserId } from './schemas.ts';
import type { Api } from './api-env.ts';
import { FROM_PATTERN } from './patterns.ts';
import type { Pod } from '../core/commands/pod.ts';
import { withId } from '../protocol/message.ts';

const Row = z
  .object({
    user_id: UserId,
    status: z.enum(['online', 'away']),
    meta: z.record(z.string(), z.unknown()).openapi({ example: { device: 'phone' } }),
    updated_at: z.int().openapi({ description: 'Seconds since 1970.', example: 1_767_225_600 }),
  })
  .openapi('Member');

const Presence = z.object({ room: RoomName, members: z.array(Row) }).openapi('Presence');

const getPresence = createRoute({
  method: 'get',
  path: '/api/rooms/{room}/presence',
  operationId: 'getPresence',
  tags: ['rooms'],
  summary: 'Lists everybody who is present in a room.',
  security: GUARDED_BY,
  request: { params: z.object({ room: RoomName }) },
  responses: { 200: json('Everybody who is present.', Presence), ...BAD_REQUEST, ...GUARDED },
});

const HistoryQuery = z.object({
  after: z
    .string({ error: 'must be a position' })
    .optional()
    .openapi({ description: 'A position; without it the newest messages are given.' }),
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
      description: 'A user id, or `system`.',
      example: 'alice',
    }),
    event: z.string().optional().openapi({ example: 'said' }),
    data: z.unknown().openapi({ description: 'Any JSON.', example: { text: 'hi' } }),
    timestamp: Timestamp,
    provisional_id: z.string().optional().openapi({
      description: 'The id under which some may have had it before: whoever has that one drops it.',
    }),
  })
  .openapi('Message');

const History = z
  .object({
    room: RoomName,
    messages: z.array(Message).openapi({ description: 'Oldest first.' }),
    position: MessageId.openapi({ description: 'Where they end: `after` of the next request.' }),
    more: z.boolean().openapi({ description: 'There are more after `position`.', example: false }),
    recovered: z
      .boolean()
      .optional()
      .openapi({ description: 'Whether nothing after `after` is missing; absent without `after`.' }),
    reason: z
      .enum(['trimmed', 'expired', 'unknown_position', 'history_lost', 'unavailable'])
      .optional()
      .openapi({
        description:
          'Why something is missing. What is kept after `after` follows; all that is kept, where `after` is itself gone.',
      }),
  })
  .openapi('History');

const getHistory = createRoute({
  method: 'get',
  path: '/api/rooms/{room}/history',
  operationId: 'getHistory',
  tags: ['rooms'],
  summary: 'Reads the messages that a room keeps.',
  security: GUARDED_BY,
  request: { params: z.object({ room: RoomName }), query: HistoryQuery },
  responses: { 200: json('One page of messages.', History), ...BAD_REQUEST, ...GUARDED },
});

export function roomStateRoutes(api: Api, { broker, roster }: Pod): void {
  api.openapi(getPresence, async (c) => {
    const { room } = c.req.valid('param');
    const { members } = await roster.listAll(room);
    return answerText(c, `{"room":"${room}","members":[${members.map(memberJson).join(',')}]}`);
  });

  api.openapi(getHistory, async (c) => {
    const { room } = c.req.valid('param');
    const { after, limit } = c.req.valid('query');
    // An empty position is an absent one, as in the address of a socket.
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
