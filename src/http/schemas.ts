import { isRoomName, isUserId, SYSTEM } from '../protocol/names.ts';
import { ApiError } from './errors.ts';
import { ERRORS } from '../protocol/error-codes.ts';
import { FROM_PATTERN, ROOM_PATTERN, USER_PATTERN } from './patterns.ts';
import { type Json, writeJson } from '../protocol/json.ts';
import { z } from '@hono/zod-openapi';

const ROOM_RULE = 'must have 1 to 128 of A-Z a-z 0-9 _ - . : @ and begin with a letter or digit';
const USER_RULE = 'must have 1 to 256 printable characters and not be system, conn:… or @…';

export const RoomName = z
  .string({ error: ROOM_RULE })
  .refine(isRoomName, { error: ROOM_RULE })
  .openapi('RoomName', {
    pattern: ROOM_PATTERN,
    description: ERRORS.invalid_room,
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

/** Null and the empty string are absent, as in a frame. */
const event = z
  .string({ error: 'must be a string' })
  .nullish()
  .transform((name) => name || undefined)
  .openapi({ description: 'What kind of message it is, in words of your own.', example: 'said' });

const type = z.enum(['chat', 'notification'], { error: 'must be chat or notification' });
const chat = type.default('chat');
const notification = type.default('notification');

const data = z
  .unknown()
  .optional()
  .openapi({ description: 'Any JSON; it arrives unchanged.', example: { text: 'hi' } });

const from = z
  .string({ error: USER_RULE })
  .refine((id) => id === SYSTEM || isUserId(id), { error: `${USER_RULE}, or be system itself` })
  .default(SYSTEM)
  .openapi({
    minLength: 1,
    maxLength: 256,
    pattern: FROM_PATTERN,
    description: 'Whose message it is: a user id, or `system`.',
    example: 'alice',
  });

const ephemeral = z
  .boolean({ error: 'must be true or false' })
  .default(false)
  .openapi({ description: 'Delivered at most once and not kept in the history.', example: false });

const object = { error: 'must be a JSON object' } as const;

/** The body of `POST /api/event`, as the channel dialect words it. */
export const ChannelEvent = z
  .object({ channel: RoomName, event, payload: data }, object)
  .openapi('ChannelEvent', { example: { channel: 'lobby', event: 'said', payload: { text: 'hi' } } });

export const DraftBody = z
  .object({ type: chat, event, data, from, ephemeral }, object)
  .openapi('Draft', { example: { event: 'said', data: { text: 'hi' }, from: 'alice' } });

/** One of a batch. */
export const RoomDraft = z
  .object({ room: RoomName, type: chat, event, data, from, ephemeral }, object)
  .openapi('RoomDraft', { example: { room: 'lobby', data: { text: 'hi' } } });

/** What the server itself says to everybody; never kept. */
export const Announcement = z
  .object({ type: notification, event, data }, object)
  .openapi('Announcement', { example: { data: { title: 'Maintenance at noon' } } });

/** What the server itself says to one user; never kept. */
export const DirectMessage = z
  .object({ type: chat, event, data }, object)
  .openapi('DirectMessage', { example: { event: 'said', data: { text: 'psst' } } });

/** Why a connection is closed. No body at all is `null` (see body.ts), as is what some clients send in place of none. */
export const Farewell = z
  .object({ reason: z.string({ error: 'must be a string' }).nullish() }, object)
  .nullable()
  .transform((farewell) => ({ reason: farewell?.reason ?? undefined }))
  .openapi('Farewell', { example: { reason: 'rules broken' } });

/** Said while Redis is away; absent otherwise. */
export const Partial = z
  .boolean()
  .optional()
  .openapi({ description: 'True: the other pods could not be reached, only connections of this one were.' });

export const Provisional = z
  .boolean()
  .optional()
  .openapi({ description: 'True: the message waits for Redis, and `id` is not its position yet.' });

export const Done = z.object({ status: z.literal('ok'), partial: Partial }).openapi('Done');

export const MessageId = z.string().openapi({
  description: 'The id of the message; a position of its room, if it is kept in the history.',
  example: 'a1b2c3d4e5f6.1x2y3z.1767225600000-0',
});

export const Timestamp = z.iso.datetime().openapi({
  description: 'RFC 3339, UTC, milliseconds.',
  example: '2026-01-01T00:00:00.000Z',
});

/** Any value as JSON text; absent is `null`. Raises 400 for what is too deep to be written. */
export function toJson(value: unknown): Json {
  const text = writeJson(value ?? null);
  if (text === undefined) throw new ApiError(400, 'invalid_request', 'the body is nested too deeply');
  return text;
}

/** A whole number in a query. */
export function limit(most: number, fallback: number) {
  const error = `must be a whole number from 1 to ${most}`;
  return z.coerce
    .number({ error })
    .int({ error })
    .min(1, { error })
    .max(most, { error })
    .default(fallback)
    .openapi({ example: fallback });
}
