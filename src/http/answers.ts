import type { Context, TypedResponse } from 'hono';
import { z } from '@hono/zod-openapi';

export const ErrorBody = z
  .object({
    error: z.string().openapi({ description: 'For a person.', example: 'room must have 1 to 128 of …' }),
    code: z.string().openapi({ description: 'For a program.', example: 'invalid_room' }),
  })
  .openapi('Error');

export function failure(description: string, code: string) {
  const example = { error: description, code };
  return { description, content: { 'application/json': { schema: ErrorBody, example } } };
}

export function withRetryAfter<T extends object>(response: T) {
  const headers = {
    'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' as const, minimum: 1 } },
  };
  return { ...response, headers };
}

/** What any route may answer. */
export const ALWAYS = {
  408: failure('the request took too long to come', 'timeout'),
  429: withRetryAfter(failure('more requests than the caller may send', 'rate_limited')),
  431: failure('the address and the headers together are too long', 'too_large'),
  500: failure('something went wrong on the server', 'internal'),
} as const;

/** What a route may answer besides its own answer where an API key or a token opens it. */
export const GUARDED = {
  401: failure('no API key or token, or a wrong one', 'invalid_token'),
  403: failure('the token lacks the permission api:*', 'forbidden'),
  503: withRetryAfter(failure('not possible at present; come again later', 'unavailable')),
  ...ALWAYS,
} as const;

export const BAD_REQUEST = { 400: failure('a field is wrong', 'invalid_request') } as const;

export const BAD_BODY = {
  ...BAD_REQUEST,
  413: failure('the body is too long', 'too_large'),
  415: failure('the body is not said to be JSON', 'unsupported_media_type'),
} as const;

export const NOT_FOUND = { 404: failure('there is nothing here', 'not_found') } as const;

export const GUARDED_BY = [{ apiKey: [] }, { bearer: [] }];

export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } } as const;
}

/** A request's body; where it is not required its schema takes `null` (see body.ts). */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, required = true) {
  return { required, content: { 'application/json': { schema } } } as const;
}

/** An answer that is JSON text already. */
export function answerText<Body>(c: Context, text: string): TypedResponse<Body, 200, 'json'> {
  const response: unknown = c.body(text, 200, { 'Content-Type': 'application/json' });
  return response as TypedResponse<Body, 200, 'json'>;
}
