import type { Caller } from './api-env.ts';
import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';

/** The header that makes a repeated request publish nothing twice, for five minutes. */
export const IdempotencyHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x20-\x7e]{1,64}$/, { error: 'must be 1 to 64 printable ASCII characters' })
    .optional()
    .openapi({
      description:
        'Choose a new random one for each request that publishes. The same request sent again with it within ' +
        'five minutes, by the same key or user and for the same room, is answered with the first id and ' +
        'timestamp, and delivered to nobody twice.',
      example: '5f0c2a1e-6f0d-4b7e-9b1e-0b5a3f1c2d4e',
    }),
});

/**
 * What makes a publication idempotent in its room: of the caller and its header, and in a batch of the place in it.
 * A client's key over a socket has a line break in it (see core/perform.ts), this one never has. While the API is open
 * to everybody, everybody counts as one caller.
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
