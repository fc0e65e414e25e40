import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, failure, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { Done, RoomName, toJson } from './schemas.ts';
import type { Api } from './api-env.ts';
import { ApiError } from './errors.ts';
import { META_LIMIT } from '../protocol/fields.ts';
import type { Pod } from '../core/commands/pod.ts';
import { stateOwn } from '../core/commands/state-own.ts';

const StatementBody = z
  .object(
    {
      status: z
        .enum(['online', 'away', 'offline'], { error: 'must be online, away or offline' })
        .optional()
        .openapi({ description: 'The status of the user; unchanged if it is absent.' }),
      meta: z
        .record(z.string(), z.unknown(), { error: 'must be a JSON object' })
        .optional()
        .openapi({
          description: `What the user states about itself, at most ${META_LIMIT} characters as JSON; unchanged if it is absent.`,
          example: { device: 'phone' },
        }),
    },
    { error: 'must be a JSON object' },
  )
  .openapi('PresenceStatement', { example: { status: 'away' } });

const putPresence = createRoute({
  method: 'put',
  path: '/api/rooms/{room}/presence',
  operationId: 'putPresence',
  tags: ['rooms'],
  summary: 'States the presence of the user of the token, who is in the room with a connection.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ room: RoomName }), body: jsonBody(StatementBody) },
  responses: {
    200: json('The members of the room are told.', Done),
    ...BAD_BODY,
    ...AUTH_ERRORS,
    409: failure('no connection of the user is in the room', 'not_in_room'),
  },
});

export function presenceRoutes(api: Api, pod: Pod): void {
  api.openapi(putPresence, async (c) => {
    const { room } = c.req.valid('param');
    const { status, meta } = c.req.valid('json');
    const { user } = c.var.caller;
    if (user === undefined) throw new ApiError(403, 'forbidden', 'an API key has no user; send a token');
    const text = meta === undefined ? undefined : toJson(meta);
    if (text !== undefined && text.length > META_LIMIT) {
      throw new ApiError(400, 'invalid_request', `meta may have at most ${META_LIMIT} characters as JSON`);
    }
    const { partial } = await stateOwn(pod, user, room, { status, meta: text });
    return c.json({ status: 'ok' as const, ...(partial && { partial }) }, 200);
  });
}
