import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { ConnectionId, DirectMessage, Done, DisconnectBody, toJson, UserId } from './schemas.ts';
import { IdempotencyHeaders, publicationKey } from './idempotency.ts';
import { kickConnection, kickUser } from '../core/commands/kick.ts';
import type { Api } from './api-env.ts';
import type { Pod } from '../core/commands/pod.ts';
import { firstTimestamp } from './publishing.ts';
import { publishDirectly } from '../core/commands/publish.ts';
import { Sent } from './messages.ts';
import { DIRECT, SYSTEM } from '../protocol/names.ts';

const postToUser = createRoute({
  method: 'post',
  path: '/api/users/{user}/messages',
  operationId: 'postToUser',
  tags: ['publish'],
  summary: 'Sends a message to every connection of a user. The message is not stored.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ user: UserId }), headers: IdempotencyHeaders, body: jsonBody(DirectMessage) },
  responses: {
    200: json('The message is sent, even if the user has no connection.', Sent),
    ...BAD_BODY,
    ...AUTH_ERRORS,
  },
});

const disconnectUser = createRoute({
  method: 'post',
  path: '/api/users/{user}/disconnect',
  operationId: 'disconnectUser',
  tags: ['disconnect'],
  summary: 'Closes every connection of a user with code 4403.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ user: UserId }), body: jsonBody(DisconnectBody, false) },
  responses: {
    200: json('The user has no open connection any more.', Done),
    ...BAD_BODY,
    ...AUTH_ERRORS,
  },
});

const disconnectConnection = createRoute({
  method: 'post',
  path: '/api/connections/{id}/disconnect',
  operationId: 'disconnectConnection',
  tags: ['disconnect'],
  summary: 'Closes one connection with code 4403.',
  security: AUTH_SCHEMES,
  request: { params: z.object({ id: ConnectionId }), body: jsonBody(DisconnectBody, false) },
  responses: {
    200: json('The connection is closed, or did not exist.', Done),
    ...BAD_BODY,
    ...AUTH_ERRORS,
  },
});

export function userRoutes(api: Api, pod: Pod): void {
  api.openapi(postToUser, async (c) => {
    const { user } = c.req.valid('param');
    const { type, event, data } = c.req.valid('json');
    const key = publicationKey(c.var.caller, c.req.valid('header')['Idempotency-Key']);
    const timestamp = await firstTimestamp(pod, DIRECT, key);
    const what = { type, from: SYSTEM, event, data: toJson(data), key, timestamp };
    const { id, partial } = await publishDirectly(pod, user, what);
    return c.json({ id, timestamp, ...(partial && { partial }) }, 200);
  });

  api.openapi(disconnectUser, async (c) => {
    const { partial } = await kickUser(pod, c.req.valid('param').user, c.req.valid('json').reason);
    return c.json({ status: 'ok', ...(partial && { partial }) } as const, 200);
  });

  api.openapi(disconnectConnection, async (c) => {
    const { partial } = await kickConnection(pod, c.req.valid('param').id, c.req.valid('json').reason);
    return c.json({ status: 'ok', ...(partial && { partial }) } as const, 200);
  });
}
