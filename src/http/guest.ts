import { ALWAYS, BAD_BODY, json, jsonBody, NOT_FOUND } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { Timestamp, UserId } from './schemas.ts';
import { USER_PATTERN } from './patterns.ts';
import type { Api, GuestDoor } from './api-env.ts';
import { ApiError } from './errors.ts';

/** The one route that asks nobody who it is. */
export const GUEST_PATH = '/api/auth/guest';

const NAME_RULE = 'must be a name of printable characters, not system, conn:… or @…';

const Login = z
  .object(
    {
      username: z.string({ error: NAME_RULE }).openapi({
        minLength: 1,
        maxLength: 256,
        pattern: USER_PATTERN,
        description: 'A name of printable characters; with GUEST_PREFIX before it, it is the user id.',
      }),
    },
    { error: 'must be a JSON object' },
  )
  .openapi('GuestLogin', { example: { username: 'alice' } });

const Guest = z
  .object({
    token: z.string().nullable().openapi({ description: 'Null: none is needed.', example: null }),
    user_id: UserId,
    expires_at: Timestamp,
  })
  .openapi('Guest');

const postGuest = createRoute({
  method: 'post',
  path: GUEST_PATH,
  operationId: 'postGuest',
  tags: ['guests'],
  summary: 'Lets anybody in under a name of their own for an hour.',
  security: [],
  request: { body: jsonBody(Login) },
  responses: { 200: json('The guest is in.', Guest), ...BAD_BODY, ...NOT_FOUND, ...ALWAYS },
});

export function guestRoutes(api: Api, door: GuestDoor | undefined): void {
  if (door === undefined) {
    api.use(GUEST_PATH, () => Promise.reject(new ApiError(404, 'not_found', 'guest login is switched off')));
  }
  api.openapi(postGuest, async (c) => {
    const guest = await door?.login(c.req.valid('json').username);
    if (guest === undefined) throw new ApiError(400, 'invalid_user_id', `username ${NAME_RULE}`);
    const { token, userId, expiresAt } = guest;
    c.header('Cache-Control', 'no-store');
    return c.json({ token, user_id: userId, expires_at: new Date(expiresAt).toISOString() }, 200);
  });
}
