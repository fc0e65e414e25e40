import { ApiError, describeError, invalidField } from './errors.ts';
import { BAD_BODY, ErrorBody, GUARDED, GUARDED_BY, json, jsonBody } from './answers.ts';
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
      // Looked at one by one: a bad one does not stop the others.
      messages: z.array(z.unknown(), { error: 'must be a list of messages' }).openapi({
        type: 'array',
        items: { $ref: '#/components/schemas/RoomDraft' },
        maxItems: MOST_MESSAGES,
        description: 'In the order in which they are published.',
      }),
    },
    { error: 'must be a JSON object' },
  )
  .openapi('Batch', { example: { messages: [{ room: 'lobby', data: { text: 'hi' } }] } });

/** One object and no choice of two: clients generated from a choice without a mark take every result for its first. */
const Result = z
  .object({
    id: MessageId.optional(),
    provisional: Provisional,
    partial: Partial,
    error: ErrorBody.shape.error.optional(),
    code: ErrorBody.shape.code.optional(),
  })
  .openapi('BatchResult', {
    description: 'Either `id` of the message, or `error` and `code` where it was refused.',
  });

const Results = z.object({ results: z.array(Result) }).openapi('BatchResults');

const postBatch = createRoute({
  method: 'post',
  path: BATCH_PATH,
  operationId: 'postBatch',
  tags: ['publish'],
  summary: 'Publishes many messages, each in its room.',
  description:
    `At most ${MOST_MESSAGES} messages (400) and ${BATCH_BYTES} bytes (413); a single one may be as large as ` +
    'one published alone. A bad message does not stop the others.',
  security: GUARDED_BY,
  request: { headers: IdempotencyHeaders, body: jsonBody(Batch) },
  responses: { 200: json('One result for each message, in order.', Results), ...BAD_BODY, ...GUARDED },
});

export function batchRoutes(api: Api, { pod, maxBodyBytes }: ApiOptions): void {
  // The body names it only by reference.
  api.openAPIRegistry.register('RoomDraft', RoomDraft);

  api.openapi(postBatch, async (c) => {
    const { messages } = c.req.valid('json');
    if (messages.length > MOST_MESSAGES) {
      throw new ApiError(400, 'too_many_messages', `a batch may have ${MOST_MESSAGES} messages`);
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
    // Each is handed to the broker before the next is looked at, so that their order holds.
    return c.json({ results: await Promise.all(messages.map(publishOne)) }, 200);
  });
}

function readMessage(message: unknown, maxBytes: number): z.output<typeof RoomDraft> {
  const read = RoomDraft.safeParse(message);
  if (!read.success) throw invalidField(read.error.issues, 'the message');
  if (Buffer.byteLength(toJson(message)) > maxBytes) {
    throw new ApiError(413, 'too_large', `a message may have ${maxBytes} bytes`);
  }
  return read.data;
}
