import { BAD_REQUEST, AUTH_ERRORS, AUTH_SCHEMES, json } from './answers.ts';
import { createRoute, z } from '@hono/zod-openapi';
import { limit, RoomName } from './schemas.ts';
import type { Api } from './api-env.ts';
import { ApiError } from './errors.ts';
import { ROOM_PREFIX_PATTERN } from './patterns.ts';
import type { Directory } from '../core/ports/directory.ts';
import { isRoomName } from '../protocol/names.ts';

const PREFIX_RULE = { error: 'must be the beginning of a room name' } as const;

const RoomsQuery = z.object({
  prefix: z
    .string(PREFIX_RULE)
    .refine((prefix) => prefix === '' || isRoomName(prefix), PREFIX_RULE)
    .default('')
    .openapi({
      maxLength: 128,
      pattern: ROOM_PREFIX_PATTERN,
      description: 'Lists only rooms whose names begin with this text.',
      example: 'lobby',
    }),
  limit: limit(1_000, 100),
  cursor: z.string({ error: 'must be the cursor of a previous answer' }).default('').openapi({
    pattern: '^[A-Za-z0-9_-]*$',
    description: 'The `cursor` of the previous page. Without it, the first page is returned.',
    example: 'bG9iYnk',
  }),
});

const Rooms = z
  .object({
    rooms: z.array(
      z.object({
        room: RoomName,
        connections: z
          .int()
          .min(1)
          .openapi({ description: 'The number of connections in the room, on all pods.', example: 3 }),
      }),
    ),
    cursor: z
      .string()
      .nullable()
      .openapi({ description: 'Send it to get the next page. It is null on the last page.', example: null }),
  })
  .openapi('Rooms');

const getRooms = createRoute({
  method: 'get',
  path: '/api/rooms',
  operationId: 'getRooms',
  tags: ['rooms'],
  summary: 'Lists the rooms that have connections, sorted by name.',
  security: AUTH_SCHEMES,
  request: { query: RoomsQuery },
  responses: { 200: json('The answer is one page of rooms.', Rooms), ...BAD_REQUEST, ...AUTH_ERRORS },
});

export function roomRoutes(api: Api, directory: Directory): void {
  api.openapi(getRooms, async (c) => {
    const { prefix, limit, cursor } = c.req.valid('query');
    const rooms = await directory.rooms(prefix, readCursor(cursor), limit + 1);
    const page = rooms.slice(0, limit);
    const last = rooms.length > limit ? page.at(-1) : undefined;
    return c.json({ rooms: page, cursor: last === undefined ? null : writeCursor(last.room) }, 200);
  });
}

/** The cursor is the last room of a page, so that rooms that appear or vanish do not shift the next page. */
function writeCursor(room: string): string {
  return Buffer.from(room).toString('base64url');
}

function readCursor(cursor: string): string {
  const room = Buffer.from(cursor, 'base64url').toString();
  if (cursor === '' || (isRoomName(room) && writeCursor(room) === cursor)) return room;
  throw new ApiError(400, 'invalid_request', 'cursor must be the cursor of a previous answer');
}
