import type { Caller } from './api-env.ts';
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';

/** The header that makes a request idempotent for five minutes. */
export const IdempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x20-\x7e]{1,64}$/, { error: 'must be 1 to 64 printable ASCII characters' })
    .optional()
    .openapi({
      description:
        'Choose a new random key for each request that publishes. If the same API key or user sends the request ' +
        'again with the same key for the same room within five minutes, it gets the first id and timestamp again, ' +
        'and nothing is delivered twice.',
      example: '5f0c2a1e-6f0d-4b7e-9b1e-0b5a3f1c2d4e',
    }),
});

/**
 * The idempotency key of a publication in its room, made from the caller, its header, and the index in a batch. It
 * never contains a line break, as a key made from a client's `ref` does (core/commands), so that the two cannot be
 * equal. While the API is open to everybody, all requests count as one caller.
 */
export function publicationKey(
  { name = 'anybody' }: Caller,
  header: string | undefined,
  index?: number,
): string | undefined {
  if (header === undefined) return undefined;
  const hash = createHash('sha256').update(`${name}\n${header}`).digest('base64url');
  return index === undefined ? `api:${hash}` : `api:${hash}:${index}`;
}
