import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { ChannelEvent, DraftBody, MessageId, Partial, Provisional } from './schemas.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { IdempotencyHeaders, publicationKey } from './idempotency.ts';
import type { Api } from './api-env.ts';
import type { Pod } from '../core/commands/pod.ts';
import { publishDraft } from './publishing.ts';

const Accepted = z
  .object({ status: z.literal('ok'), message_id: MessageId, provisional: Provisional, partial: Partial })
  .openapi('EventAccepted');

const postEvent = createRoute({
  method: 'post',
  path: '/api/event',
  operationId: 'postEvent',
  tags: ['publish'],
  summary: 'Broadcasts an event in a channel, with the field names of the channel dialect.',
  security: AUTH_SCHEMES,
  request: { headers: IdempotencyHeaders, body: jsonBody(ChannelEvent) },
  responses: { 200: json('The event is published.', Accepted), ...BAD_BODY, ...AUTH_ERRORS },
});

export function eventRoutes(api: Api, pod: Pod): void {
  api.openapi(postEvent, async (c) => {
    const { channel, event = 'message', payload } = c.req.valid('json');
    const key = publicationKey(c.var.caller, c.req.valid('header')['Idempotency-Key']);
    const draft = { ...DraftBody.parse({}), event, data: payload };
    const { id, provisional, partial } = await publishDraft(pod, channel, draft, key);
    return c.json({ status: 'ok', message_id: id, provisional, partial } as const, 200);
  });
}
