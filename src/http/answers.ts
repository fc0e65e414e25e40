import type { Context, TypedResponse } from 'hono';
import { z } from '@hono/zod-openapi';

export const ErrorBody = z
  .object({
    error: z.string().openapi({
      description: 'A text for a person that says what went wrong.',
      example: 'room must have 1 to 128 of …',
    }),
    code: z
      .string()
      .openapi({ description: 'A code for a program that says what went wrong.', example: 'invalid_room' }),
  })
  .openapi('Error');

/** An answer with an error body. `error` becomes its example and, as a sentence, its description. */
export function failure(error: string, code: string) {
  const example = { error, code };
  const description = `${error.charAt(0).toUpperCase()}${error.slice(1)}.`;
  return { description, content: { 'application/json': { schema: ErrorBody, example } } };
}

export function withRetryAfter<T extends object>(response: T) {
  const headers = {
    'Retry-After': {
      description: 'How many seconds to wait before the next attempt.',
      schema: { type: 'integer' as const, minimum: 1 },
    },
  };
  return { ...response, headers };
}

/** The errors of every route. */
export const COMMON_ERRORS = {
  408: failure('the request took too long to arrive', 'timeout'),
  429: withRetryAfter(failure('the caller sends too many requests', 'rate_limited')),
  431: failure('the address and the headers together are too long', 'too_large'),
  500: failure('something went wrong on the server', 'internal'),
} as const;

/** The errors of every route that needs an API key or a token. */
export const AUTH_ERRORS = {
  401: failure('the API key or token is missing or not valid', 'invalid_token'),
  403: failure('the token lacks the permission api:*', 'forbidden'),
  503: withRetryAfter(failure('the request cannot be served now; retry later', 'unavailable')),
  ...COMMON_ERRORS,
} as const;

export const BAD_REQUEST = {
  400: failure('a field of the request is not valid', 'invalid_request'),
} as const;

export const BAD_BODY = {
  ...BAD_REQUEST,
  413: failure('the body is too long', 'too_large'),
  415: failure('the Content-Type of the body is not application/json', 'unsupported_media_type'),
} as const;

export const AUTH_SCHEMES = [{ apiKey: [] }, { bearer: [] }];

export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } } as const;
}

/** A request's body. If it is not required, the schema must accept `null` (see body.ts). */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, required = true) {
  return { required, content: { 'application/json': { schema } } } as const;
}

/** Answers with text that is JSON already. */
export function answerText<Body>(c: Context, text: string): TypedResponse<Body, 200, 'json'> {
  const response: unknown = c.body(text, 200, { 'Content-Type': 'application/json' });
  return response as TypedResponse<Body, 200, 'json'>;
}
