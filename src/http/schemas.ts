import { isRoomName, isUserId, SYSTEM } from '../protocol/names.ts';
import { ApiError } from './errors.ts';
import { FROM_PATTERN, ROOM_PATTERN, USER_PATTERN } from './patterns.ts';
import { type Json, writeJson } from '../protocol/json.ts';
import { z } from '@hono/zod-openapi';

const ROOM_RULE = 'must have 1 to 128 of A-Z a-z 0-9 _ - . : @ and begin with a letter or digit';
const USER_RULE =
  'must have 1 to 256 printable characters, must not be system, and must not begin with conn: or @';

export const RoomName = z
  .string({ error: ROOM_RULE })
  .refine(isRoomName, { error: ROOM_RULE })
  .openapi('RoomName', {
    pattern: ROOM_PATTERN,
    description: `A room name ${ROOM_RULE}.`,
    example: 'lobby',
  });

export const UserId = z
  .string({ error: USER_RULE })
  .refine(isUserId, { error: USER_RULE })
  .openapi('UserId', {
    minLength: 1,
    maxLength: 256,
    pattern: USER_PATTERN,
    description: `A user id ${USER_RULE}.`,
    example: 'alice',
  });

const ID_RULE = { error: 'must be a connection id: 1 to 64 of A-Z a-z 0-9 _ -' } as const;

export const ConnectionId = z
  .string(ID_RULE)
  .regex(/^[A-Za-z0-9_-]{1,64}$/, ID_RULE)
  .openapi('ConnectionId', {
    description: 'The id of a connection: `connection_id` in its `connected` frame.',
    example: 'Zm9vYmFyYmF6',
  });

/** Null and the empty string count as absent, as in a frame. */
const event = z
  .string({ error: 'must be a string' })
  .nullish()
  .transform((name) => name || undefined)
  .openapi({ description: 'The kind of message, as the application names it.', example: 'said' });

const type = z.enum(['chat', 'notification'], { error: 'must be chat or notification' });
const chat = type.default('chat');
const notification = type.default('notification');

const data = z
  .unknown()
  .optional()
  .openapi({
    description: 'Any JSON value. Clients receive it unchanged; if it is absent, they receive null.',
    example: { text: 'hi' },
  });

const from = z
  .string({ error: USER_RULE })
  .refine((id) => id === SYSTEM || isUserId(id), {
    error: 'must have 1 to 256 printable characters, and must not begin with conn: or @',
  })
  .default(SYSTEM)
  .openapi({
    minLength: 1,
    maxLength: 256,
    pattern: FROM_PATTERN,
    description: 'The publisher that clients see: a user id, or `system`.',
    example: 'alice',
  });

const ephemeral = z.boolean({ error: 'must be true or false' }).default(false).openapi({
  description: 'If true, the message is delivered at most once and not stored in the history.',
  example: false,
});

const object = { error: 'must be a JSON object' } as const;

/** The body of `POST /api/event`, with the field names of the channel dialect. */
export const ChannelEvent = z
  .object({ channel: RoomName, event, payload: data }, object)
  .openapi('ChannelEvent', { example: { channel: 'lobby', event: 'said', payload: { text: 'hi' } } });

export const DraftBody = z
  .object({ type: chat, event, data, from, ephemeral }, object)
  .openapi('Draft', { example: { event: 'said', data: { text: 'hi' }, from: 'alice' } });

/** One message of a batch. */
export const RoomDraft = z
  .object({ room: RoomName, type: chat, event, data, from, ephemeral }, object)
  .openapi('RoomDraft', { example: { room: 'lobby', data: { text: 'hi' } } });

/** A message to everybody; never stored. */
export const Announcement = z
  .object({ type: notification, event, data }, object)
  .openapi('Announcement', { example: { data: { title: 'Maintenance at noon' } } });

/** A message to one user; never stored. */
export const DirectMessage = z
  .object({ type: chat, event, data }, object)
  .openapi('DirectMessage', { example: { event: 'said', data: { text: 'psst' } } });

/** Why a connection is closed. An absent body is `null` (see body.ts); some clients also send `null`. */
export const DisconnectBody = z
  .object(
    {
      reason: z.string({ error: 'must be a string' }).nullish().openapi({
        description: 'The reason that the client receives with the close. A default is sent if it is absent.',
      }),
    },
    object,
  )
  .nullable()
  .transform((body) => ({ reason: body?.reason ?? undefined }))
  .openapi('Farewell', { example: { reason: 'rules broken' } });

/** Present only if Redis or NATS is unavailable, or a pod does not answer. */
export const Partial = z.boolean().optional().openapi({
  description:
    'True if not every pod did this, because one or all of them could not be reached. Absent otherwise.',
});

export const Provisional = z.boolean().optional().openapi({
  description:
    'True if the message still waits for Redis or NATS, so that `id` is not its position yet. Absent otherwise.',
});

export const Done = z.object({ status: z.literal('ok'), partial: Partial }).openapi('Done');

export const MessageId = z.string().openapi({
  description: 'The id of the message. It is a position in the room if the message is stored in the history.',
  example: 'a1b2c3d4e5f6.1x2y3z.1767225600000-0',
});

export const Timestamp = z.iso.datetime().openapi({
  description: 'When the message was accepted: RFC 3339, UTC, with milliseconds.',
  example: '2026-01-01T00:00:00.000Z',
});

/** Any value as JSON text; absent is `null`. Raises 400 if it is nested too deeply. */
export function toJson(value: unknown): Json {
  const text = writeJson(value ?? null);
  if (text === undefined) throw new ApiError(400, 'invalid_request', 'the body is nested too deeply');
  return text;
}

/** How many items a page may have at most, as a query parameter. */
export function limit(most: number, fallback: number) {
  const error = `must be a whole number from 1 to ${most}`;
  return z.coerce
    .number({ error })
    .int({ error })
    .min(1, { error })
    .max(most, { error })
    .default(fallback)
    .openapi({
      description: `How many items the page may have at most, from 1 to ${most}.`,
      example: fallback,
    });
}
