import { COMMON_ERRORS, BAD_BODY, failure, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { Timestamp, UserId } from './schemas.ts';
import { USER_PATTERN } from './patterns.ts';
import type { Api, GuestIssuer } from './api-env.ts';
import { DEFAULT_PERMISSIONS } from '../core/base/permissions.ts';
import type { Denylist } from '../core/ports/denylist.ts';
import { whyDenied } from '../core/commands/deny.ts';
import { ApiError } from './errors.ts';

/** The only API route that needs neither a key nor a token. */
export const GUEST_PATH = '/api/auth/guest';

const NAME_RULE =
  'must have 1 to 256 printable characters, not only blanks, must not be system, and must not begin with conn: or @';

const Login = z
  .object(
    {
      username: z.string({ error: NAME_RULE }).openapi({
        minLength: 1,
        maxLength: 256,
        pattern: USER_PATTERN,
        description:
          'The name of the guest, of printable characters. GUEST_PREFIX and this name form the user id.',
      }),
    },
    { error: 'must be a JSON object' },
  )
  .openapi('GuestLogin', { example: { username: 'alice' } });

const Guest = z
  .object({
    token: z.string().nullable().openapi({
      description: 'The token to connect with, valid for one hour. It is null if no token is needed.',
      example: null,
    }),
    user_id: UserId,
    expires_at: Timestamp.openapi({
      description: 'When the token expires: RFC 3339, UTC, with milliseconds.',
    }),
  })
  .openapi('Guest');

const postGuest = createRoute({
  method: 'post',
  path: GUEST_PATH,
  operationId: 'postGuest',
  tags: ['guests'],
  summary: 'Logs a guest in for one hour under a name that the guest chooses.',
  security: [],
  request: { body: jsonBody(Login) },
  responses: {
    200: json('The guest is logged in.', Guest),
    ...BAD_BODY,
    403: failure('the guest is blocked', 'blocked'),
    404: failure('guest login is switched off', 'not_found'),
    ...COMMON_ERRORS,
  },
});

export function guestRoutes(api: Api, guests: GuestIssuer | undefined, denylist: Denylist): void {
  if (guests === undefined) {
    api.use(GUEST_PATH, () => Promise.reject(new ApiError(404, 'not_found', 'guest login is switched off')));
  }
  api.openapi(postGuest, async (c) => {
    const guest = await guests?.login(c.req.valid('json').username);
    if (guest === undefined) throw new ApiError(400, 'invalid_user_id', `username ${NAME_RULE}`);
    const { token, userId, expiresAt } = guest;
    const denied = whyDenied(denylist, { userId, permissions: DEFAULT_PERMISSIONS });
    if (denied !== undefined) throw new ApiError(403, denied.code, denied.error);
    c.header('Cache-Control', 'no-store');
    return c.json({ token, user_id: userId, expires_at: new Date(expiresAt).toISOString() }, 200);
  });
}
