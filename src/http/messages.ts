import {
  Announcement,
  DraftBody,
  MessageId,
  Partial,
  Provisional,
  RoomName,
  Timestamp,
  toJson,
} from './schemas.ts';
import { firstTimestamp, publishDraft } from './publishing.ts';
import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { IdempotencyHeaders, publicationKey } from './idempotency.ts';
import type { Api } from './api-env.ts';
import { publishAs } from './own-requests.ts';
import type { Pod } from '../core/commands/pod.ts';
import { publishGlobally } from '../core/commands/publish.ts';
import { GLOBAL, SYSTEM } from '../protocol/names.ts';

const Published = z
  .object({
    id: MessageId.optional(),
    room: RoomName,
    timestamp: Timestamp,
    provisional: Provisional,
    partial: Partial,
  })
  .openapi('PublishedInRoom');

/** The answer about a message that has no room. */
export const Sent = z.object({ id: MessageId, timestamp: Timestamp, partial: Partial }).openapi('Sent');

const postMessage = createRoute({
  method: 'post',
  path: '/api/rooms/{room}/messages',
  operationId: 'postMessage',
  tags: ['publish'],
  summary: 'Publishes a message to a room.',
  security: AUTH_SCHEMES,
  request: {
    params: z.object({ room: RoomName }),
    headers: IdempotencyHeaders,
    body: jsonBody(DraftBody),
  },
  responses: { 200: json('The message is published.', Published), ...BAD_BODY, ...AUTH_ERRORS },
});

const postBroadcast = createRoute({
  method: 'post',
  path: '/api/broadcast',
  operationId: 'postBroadcast',
  tags: ['publish'],
  summary: 'Sends a message to every connection on every pod. The message is not stored.',
  security: AUTH_SCHEMES,
  request: { headers: IdempotencyHeaders, body: jsonBody(Announcement) },
  responses: { 200: json('The message is sent.', Sent), ...BAD_BODY, ...AUTH_ERRORS },
});

export function messageRoutes(api: Api, pod: Pod): void {
  api.openapi(postMessage, async (c) => {
    const { room } = c.req.valid('param');
    const { user } = c.var.caller;
    const header = c.req.valid('header')['Idempotency-Key'];
    if (user?.isServer === false) {
      const { published, timestamp } = await publishAs(pod, user, room, c.req.valid('json'), header);
      return c.json({ room, timestamp, ...published }, 200);
    }
    const key = publicationKey(c.var.caller, header);
    const when = await firstTimestamp(pod, room, key);
    const { id, timestamp, ...kind } = await publishDraft(pod, room, c.req.valid('json'), key, when);
    return c.json({ id, room, timestamp, ...kind }, 200);
  });

  api.openapi(postBroadcast, async (c) => {
    const { type, event, data } = c.req.valid('json');
    const key = publicationKey(c.var.caller, c.req.valid('header')['Idempotency-Key']);
    const timestamp = await firstTimestamp(pod, GLOBAL, key);
    const { id, partial } = await publishGlobally(pod, {
      type,
      from: SYSTEM,
      event,
      data: toJson(data),
      key,
      timestamp,
    });
    return c.json({ id, timestamp, ...(partial && { partial }) }, 200);
  });
}
