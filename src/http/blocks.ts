import { BAD_BODY, BAD_REQUEST, AUTH_ERRORS, AUTH_SCHEMES, failure, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import type { Block } from '../core/ports/denylist.ts';
import { Instant, isoOf } from './moments.ts';
import { limit, Timestamp, UserId } from './schemas.ts';
import type { Api } from './api-env.ts';
import { ApiError } from './errors.ts';
import { nameForLog } from './caller-name.ts';
import type { Pod } from '../core/commands/pod.ts';

const MOST_SECONDS = 3_155_760_000;
const SECONDS_RULE = { error: `must be a whole number from 1 to ${MOST_SECONDS}` } as const;
const CURSOR_RULE = { error: 'must be the cursor of a previous answer' } as const;

const Body = z
  .object(
    {
      seconds: z
        .int(SECONDS_RULE)
        .min(1, SECONDS_RULE)
        .max(MOST_SECONDS, SECONDS_RULE)
        .optional()
        .openapi({ description: 'How long the user is blocked.', example: 3_600 }),
      until: Instant.optional().openapi({ description: 'Until when the user is blocked: RFC 3339.' }),
      reason: z
        .string({ error: 'must be a string of at most 256 characters' })
        .max(256, { error: 'must be a string of at most 256 characters' })
        .nullish()
        .openapi({ description: 'The reason that clients receive with the close.', example: 'spam' }),
    },
    { error: 'must be a JSON object' },
  )
  .refine(({ seconds, until }) => (seconds === undefined) !== (until === undefined), {
    error: 'must have either seconds or until',
  })
  .openapi('BlockBody', { example: { seconds: 3_600, reason: 'spam' } });

const Row = z
  .object({
    user_id: UserId,
    until: Timestamp.openapi({ description: 'When the block ends: RFC 3339, UTC, with milliseconds.' }),
    reason: z.string().nullable(),
    since: Timestamp.openapi({ description: 'When the user was blocked: RFC 3339, UTC, with milliseconds.' }),
  })
  .openapi('Block');

const Page = z
  .object({
    blocks: z.array(Row),
    cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it to get the next page. It is null on the last page.', example: null }),
  })
  .openapi('Blocks');

const Done = z.object({ status: z.literal('ok') }).openapi('Decided');

const about = {
  path: '/api/users/{user}/block' as const,
  tags: ['blocks'],
  security: AUTH_SCHEMES,
};
const params = z.object({ user: UserId });

const postBlock = createRoute({
  ...about,
  method: 'post',
  operationId: 'blockUser',
  summary:
    'Blocks a user: closes every connection with code 4403, and refuses the user until the block ends.',
  request: { params, body: jsonBody(Body) },
  responses: { 200: json('The user is blocked.', Done), ...BAD_BODY, ...AUTH_ERRORS },
});

const getBlock = createRoute({
  ...about,
  method: 'get',
  operationId: 'getBlock',
  summary: 'Tells until when a user is blocked.',
  request: { params },
  responses: {
    200: json('The user is blocked.', Row),
    ...BAD_REQUEST,
    404: failure('the user is not blocked', 'not_found'),
    ...AUTH_ERRORS,
  },
});

const deleteBlock = createRoute({
  ...about,
  method: 'delete',
  operationId: 'unblockUser',
  summary: 'Ends the block of a user.',
  request: { params },
  responses: { 200: json('The user is not blocked.', Done), ...BAD_REQUEST, ...AUTH_ERRORS },
});

const getBlocks = createRoute({
  method: 'get',
  path: '/api/blocks',
  operationId: 'getBlocks',
  tags: ['blocks'],
  summary: 'Lists the blocked users, sorted by id.',
  security: AUTH_SCHEMES,
  request: {
    query: z.object({
      limit: limit(1_000, 100),
      cursor: z
        .string(CURSOR_RULE)
        .regex(/^[A-Za-z0-9_-]*$/, CURSOR_RULE)
        .default('')
        .openapi({
          description: 'The `cursor` of the previous page. Without it, the first page is returned.',
        }),
    }),
  },
  responses: { 200: json('The answer is one page of blocks.', Page), ...BAD_REQUEST, ...AUTH_ERRORS },
});

export function blockRoutes(api: Api, pod: Pod): void {
  const { denylist, log } = pod;

  api.openapi(postBlock, async (c) => {
    const { user: userId } = c.req.valid('param');
    const { seconds = 0, until: end, reason } = c.req.valid('json');
    const since = denylist.now();
    const until = end === undefined ? since + seconds * 1_000 : Date.parse(end);
    if (until <= since) throw new ApiError(400, 'invalid_request', 'until must be in the future');
    const block = { kind: 'block', userId, since, until, reason: reason ?? undefined } as const;
    if (!(await denylist.add(block))) throw tooMany();
    log.info({ by: nameForLog(c.var.caller), user: userId, until: isoOf(until) }, 'a user was blocked');
    return c.json({ status: 'ok' } as const, 200);
  });

  api.openapi(getBlock, async (c) => {
    await denylist.refreshed();
    const block = denylist.blockOf(c.req.valid('param').user);
    if (block === undefined) throw new ApiError(404, 'not_found', 'the user is not blocked');
    return c.json(rowOf(block), 200);
  });

  api.openapi(deleteBlock, async (c) => {
    const { user } = c.req.valid('param');
    await denylist.unblock(user);
    log.info({ by: nameForLog(c.var.caller), user }, 'the block of a user was removed');
    return c.json({ status: 'ok' } as const, 200);
  });

  api.openapi(getBlocks, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    await denylist.refreshed();
    const found = denylist.blocks(Buffer.from(cursor, 'base64url').toString(), limit + 1);
    const blocks = found.slice(0, limit).map(rowOf);
    const last = found.length > limit ? blocks.at(-1) : undefined;
    const next = last === undefined ? null : Buffer.from(last.user_id).toString('base64url');
    return c.json({ blocks, cursor: next }, 200);
  });
}

export function tooMany(): ApiError {
  return new ApiError(
    429,
    'too_many',
    'there are 100,000 blocks and revocations already; remove some first',
    {
      'Retry-After': '60',
    },
  );
}

function rowOf({ userId, until, reason, since }: Block) {
  return { user_id: userId, until: isoOf(until), reason: reason ?? null, since: isoOf(since) };
}
