import { BAD_BODY, AUTH_ERRORS, AUTH_SCHEMES, json, jsonBody } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { joinUser, leaveUser, type Moved } from '../core/commands/move-user.ts';
import { Partial, RoomName, UserId } from './schemas.ts';
import type { Api, Caller } from './api-env.ts';
import { nameForLog } from './caller-name.ts';
import type { Pod } from '../core/commands/pod.ts';

const Move = z
  .object({ room: RoomName }, { error: 'must be a JSON object' })
  .openapi('RoomOfUser', { example: { room: 'lobby' } });

const Done = z
  .object({
    status: z.literal('ok'),
    connections: z
      .int()
      .openapi({ description: 'How many connections of the user joined or left, on all pods.', example: 2 }),
    partial: Partial,
  })
  .openapi('Moved');

const request = { params: z.object({ user: UserId }), body: jsonBody(Move) };
const errors = { ...BAD_BODY, ...AUTH_ERRORS };

const postJoin = createRoute({
  method: 'post',
  path: '/api/users/{user}/join',
  operationId: 'joinUser',
  tags: ['users'],
  summary:
    'Makes every connection of a user join a room. The room stays permitted to the user for 24 hours, or until the ' +
    'user is made to leave it.',
  security: AUTH_SCHEMES,
  request,
  responses: { 200: json('The connections of the user are in the room.', Done), ...errors },
});

const postLeave = createRoute({
  method: 'post',
  path: '/api/users/{user}/leave',
  operationId: 'leaveUser',
  tags: ['users'],
  summary: 'Makes every connection of a user leave a room, and ends what a join by the API permitted.',
  security: AUTH_SCHEMES,
  request,
  responses: { 200: json('No connection of the user is in the room.', Done), ...errors },
});

export function moveRoutes(api: Api, pod: Pod): void {
  const answer = ({ connections, partial }: Moved) =>
    ({ status: 'ok', connections, ...(partial && { partial }) }) as const;
  const log = (caller: Caller, user: string, room: string, what: string): void =>
    pod.log.info({ by: nameForLog(caller), user, room }, `a user ${what} a room by the API`);

  api.openapi(postJoin, async (c) => {
    const [{ user }, { room }] = [c.req.valid('param'), c.req.valid('json')];
    const moved = await joinUser(pod, user, room);
    log(c.var.caller, user, room, 'joins');
    return c.json(answer(moved), 200);
  });

  api.openapi(postLeave, async (c) => {
    const [{ user }, { room }] = [c.req.valid('param'), c.req.valid('json')];
    const moved = await leaveUser(pod, user, room);
    log(c.var.caller, user, room, 'leaves');
    return c.json(answer(moved), 200);
  });
}
