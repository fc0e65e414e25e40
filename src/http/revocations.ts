import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { isoOf, Moment } from './moments.ts';
import { Timestamp, UserId } from './schemas.ts';
import type { Api } from './api-env.ts';
import { nameForLog } from './caller-name.ts';
import type { Pod } from '../core/commands/pod.ts';
import { tooMany } from './blocks.ts';

/** How long a revocation without `expires_at` is kept. */
const KEPT_MS = 30 * 86_400_000;
const JTI_RULE = { error: 'must be a string of 1 to 256 characters' } as const;
const WHICH = 'must have either jti, or user_id and issued_before';

const Body = z
  .object(
    {
      jti: z
        .string(JTI_RULE)
        .min(1, JTI_RULE)
        .max(256, JTI_RULE)
        .optional()
        .openapi({ description: 'The `jti` of the one token.' }),
      user_id: UserId.optional(),
      issued_before: Moment.optional(),
      expires_at: Moment.optional(),
    },
    { error: 'must be a JSON object' },
  )
  .refine(
    ({ jti, user_id: user, issued_before: before }) =>
      jti === undefined
        ? user !== undefined && before !== undefined
        : user === undefined && before === undefined,
    { error: WHICH },
  )
  .openapi('Revocation', { example: { user_id: 'alice', issued_before: '2030-01-01T00:00:00Z' } });

const Done = z
  .object({
    status: z.literal('ok'),
    until: Timestamp.openapi({ description: 'Until when the revocation is kept.' }),
  })
  .openapi('Revoked');

const postRevocation = createRoute({
  method: 'post',
  path: '/api/tokens/revoke',
  operationId: 'revokeTokens',
  tags: ['blocks'],
  summary:
    'Revokes one token by its `jti`, or the tokens that a user was given before a moment. Connections with such a token ' +
    'are closed with code 4401.',
  security: AUTH_SCHEMES,
  request: { body: jsonBody(Body) },
  responses: { 200: json('The tokens are revoked.', Done), ...BAD_BODY, ...AUTH_ERRORS },
});

export function revocationRoutes(api: Api, { denylist, log }: Pod): void {
  api.openapi(postRevocation, async (c) => {
    const { jti, user_id: userId = '', issued_before: issuedBefore = 0, expires_at } = c.req.valid('json');
    const until = expires_at ?? denylist.now() + KEPT_MS;
    const revocation =
      jti === undefined
        ? ({ kind: 'tokens', userId, issuedBefore, until } as const)
        : ({ kind: 'token', jti, until } as const);
    // Tokens that have expired need no entry.
    if (until > denylist.now() && !(await denylist.add(revocation))) throw tooMany();
    const by = nameForLog(c.var.caller);
    if (jti === undefined)
      log.info({ by, user: userId, until: isoOf(until) }, 'tokens of a user were revoked');
    else log.info({ by, jti, until: isoOf(until) }, 'a token was revoked');
    return c.json({ status: 'ok', until: isoOf(until) } as const, 200);
  });
}
