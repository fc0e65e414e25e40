import { BAD_REQUEST, AUTH_ERRORS, AUTH_SCHEMES, json } from './answers.ts';
import { connectionsOfUser, pageOfConnections } from '../core/commands/list-connections.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { ConnectionId, limit, Partial, RoomName, Timestamp, UserId } from './schemas.ts';
import type { Api } from './api-env.ts';
import type { Pod } from '../core/commands/pod.ts';

const CURSOR_RULE = { error: 'must be the cursor of a previous answer' } as const;

const ofConnection = {
  id: ConnectionId,
  pod: z
    .string()
    .openapi({ description: 'The name of the pod that has the connection.', example: 'crosspod-0' }),
  rooms: z.array(RoomName).openapi({ description: 'The rooms that the connection is in.' }),
  since: Timestamp.openapi({
    description: 'When the connection was opened: RFC 3339, UTC, with milliseconds.',
  }),
};

const Row = z.object({ ...ofConnection, user_id: UserId }).openapi('Connection');

const User = z
  .object({
    user_id: UserId,
    connections: z.array(z.object(ofConnection).openapi('ConnectionOfUser')),
    partial: Partial,
  })
  .openapi('User');

const Page = z
  .object({
    connections: z.array(Row),
    cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it to get the next page. It is null on the last page.', example: null }),
    partial: Partial,
  })
  .openapi('Connections');

const getUser = createRoute({
  method: 'get',
  path: '/api/users/{user}',
  operationId: 'getUser',
  tags: ['users'],
  summary: 'Lists the connections of a user on all pods.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ user: UserId }) },
  responses: {
    200: json('The answer lists the connections of the user; none if the user is unknown.', User),
    ...BAD_REQUEST,
    ...AUTH_ERRORS,
  },
});

const getConnections = createRoute({
  method: 'get',
  path: '/api/connections',
  operationId: 'getConnections',
  tags: ['users'],
  summary: 'Lists the connections on all pods, sorted by id.',
  security: AUTH_SCHEMES,
  request: {
    query: z.object({
      limit: limit(1_000, 100),
      cursor: z
        .string(CURSOR_RULE)
        .regex(/^[A-Za-z0-9_-]{0,64}$/, CURSOR_RULE)
        .default('')
        .openapi({
          description: 'The `cursor` of the previous page. Without it, the first page is returned.',
          example: 'Zm9vYmFyYmF6',
        }),
    }),
  },
  responses: { 200: json('The answer is one page of connections.', Page), ...BAD_REQUEST, ...AUTH_ERRORS },
});

export function connectionRoutes(api: Api, pod: Pod): void {
  api.openapi(getUser, async (c) => {
    const { user } = c.req.valid('param');
    const { rows, partial } = await connectionsOfUser(pod, user);
    const connections = rows.map(({ id, pod, rooms, since }) => ({ id, pod, rooms: [...rooms], since }));
    return c.json({ user_id: user, connections, ...(partial && { partial }) }, 200);
  });

  api.openapi(getConnections, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const { rows, isCut, partial } = await pageOfConnections(pod, { after: cursor, limit });
    const connections = rows.map(({ rooms, ...row }) => ({ ...row, rooms: [...rooms] }));
    const next = isCut ? (connections.at(-1)?.id ?? null) : null;
    return c.json({ connections, cursor: next, ...(partial && { partial }) }, 200);
  });
}
