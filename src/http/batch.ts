import { ApiError, describeError, invalidField } from './errors.ts';
import { BAD_BODY, ErrorBody, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { IdempotencyHeaders, publicationKey } from './idempotency.ts';
import { MessageId, Partial, Provisional, RoomDraft, toJson } from './schemas.ts';
import type { Api, ApiOptions } from './api-env.ts';
import { publishDraft } from './publishing.ts';

export const BATCH_PATH = '/api/messages';
/** The largest body of a batch. */
export const BATCH_BYTES = 1_048_576;
const MOST_MESSAGES = 1_000;

const Batch = z
  .object(
    {
      // Validated one by one, so that an invalid message does not stop the others.
      messages: z.array(z.unknown(), { error: 'must be a list of messages' }).openapi({
        type: 'array',
        items: { $ref: '#/components/schemas/RoomDraft' },
        maxItems: MOST_MESSAGES,
        description: `The messages, at most ${MOST_MESSAGES}. They are published in this order.`,
      }),
    },
    { error: 'must be a JSON object' },
  )
  .openapi('Batch', { example: { messages: [{ room: 'lobby', data: { text: 'hi' } }] } });

/**
 * One object, not a `oneOf`: a client generated from a choice without a discriminator takes every result for the first
 * alternative.
 */
const Result = z
  .object({
    id: MessageId.optional(),
    provisional: Provisional,
    partial: Partial,
    error: ErrorBody.shape.error.optional(),
    code: ErrorBody.shape.code.optional(),
  })
  .openapi('BatchResult', {
    description: 'Has the `id` of the message if it was published, else `error` and `code`.',
  });

const Results = z.object({ results: z.array(Result) }).openapi('BatchResults');

const postBatch = createRoute({
  method: 'post',
  path: BATCH_PATH,
  operationId: 'postBatch',
  tags: ['publish'],
  summary: 'Publishes many messages, each to its own room.',
  description:
    `A batch may have at most ${MOST_MESSAGES} messages (else 400) and ${BATCH_BYTES} bytes (else 413). Each message ` +
    'has the size limit of a message that is published alone. An invalid message does not stop the others.',
  security: AUTH_SCHEMES,
  request: { headers: IdempotencyHeaders, body: jsonBody(Batch) },
  responses: {
    200: json('The answer has one result for each message, in the same order.', Results),
    ...BAD_BODY,
    ...AUTH_ERRORS,
  },
});

export function batchRoutes(api: Api, { pod, maxBodyBytes }: ApiOptions): void {
  // No route uses this schema directly, so that the document would lack it.
  api.openAPIRegistry.register('RoomDraft', RoomDraft);

  api.openapi(postBatch, async (c) => {
    const { messages } = c.req.valid('json');
    if (messages.length > MOST_MESSAGES) {
      throw new ApiError(400, 'too_many_messages', `a batch may have at most ${MOST_MESSAGES} messages`);
    }
    const header = c.req.valid('header')['Idempotency-Key'];
    const publishOne = async (message: unknown, index: number): Promise<z.input<typeof Result>> => {
      try {
        const { room, ...draft } = readMessage(message, maxBodyBytes);
        const key = publicationKey(c.var.caller, header, index);
        const { id, provisional, partial } = await publishDraft(pod, room, draft, key);
        return { id, provisional, partial };
      } catch (error) {
        const { message: text, code } = describeError(error, pod.log);
        return { error: text, code };
      }
    };
    // Each message reaches the broker before the next one is read, so that the order holds.
    return c.json({ results: await Promise.all(messages.map(publishOne)) }, 200);
  });
}

function readMessage(message: unknown, maxBytes: number): z.output<typeof RoomDraft> {
  const read = RoomDraft.safeParse(message);
  if (!read.success) throw invalidField(read.error.issues, 'the message');
  if (Buffer.byteLength(toJson(message)) > maxBytes) {
    throw new ApiError(413, 'too_large', `a message may have at most ${maxBytes} bytes`);
  }
  return read.data;
}
