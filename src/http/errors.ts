import type { Context, ErrorHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ERRORS, type ErrorCode, isErrorCode, type OwnCode } from '../protocol/error-codes.ts';
import { HTTPException } from 'hono/http-exception';
import type { Log } from '../core/ports/log.ts';
import { Refused } from '../core/base/refused.ts';

/** The codes of HTTP errors that no error frame has. */
type HttpCode =
  | 'invalid_request'
  | 'invalid_user_id'
  | 'invalid_idempotency_key'
  | 'too_many'
  | 'too_many_messages'
  | 'missing_token'
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type';

/** An error answer: thrown anywhere below the API, sent by `answerError`. */
export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: HttpCode | ErrorCode | OwnCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ContentfulStatusCode,
    code: HttpCode | ErrorCode | OwnCode,
    error: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(error);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The HTTP status of a rejection. A code that is not listed is a 400, one of a hook or backend a 403. */
const STATUS: Readonly<Partial<Record<ErrorCode, ContentfulStatusCode>>> = {
  forbidden: 403,
  rate_limited: 429,
  invalid_token: 401,
  token_expired: 401,
  token_revoked: 401,
  blocked: 403,
  too_large: 413,
  unavailable: 503,
  internal: 500,
};

/** `Retry-After` of a 429 or 503 whose cause gives no time. */
const RETRY_AFTER_SECONDS = 5;

/** Turns any error into an answer. An unexpected error is logged and becomes `internal`. */
export function describeError(error: unknown, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof Refused) return refused(error);
  if (error instanceof HTTPException) return raisedByFramework(error);
  log.error({ err: error }, 'a request failed');
  return new ApiError(500, 'internal', 'something went wrong on the server');
}

export function answerError(log: Log): ErrorHandler {
  return (error, c) => writeError(c, describeError(error, log));
}

export function writeError(c: Context, { message, code, status, headers }: ApiError): Response {
  return c.json({ error: message, code }, status, { ...headers });
}

function refused({ rejection: { code, error, retryAfterMs } }: Refused): ApiError {
  const status = isErrorCode(code) ? (STATUS[code] ?? 400) : 403;
  const wait = retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.ceil(retryAfterMs / 1_000);
  const headers = status === 429 || status === 503 ? { 'Retry-After': String(wait) } : {};
  return new ApiError(status, code, error, headers);
}

/** The validators of @hono/zod-openapi raise only 415 and 400. */
function raisedByFramework({ status }: HTTPException): ApiError {
  if (status === 415) return unsupportedMediaType();
  return new ApiError(400, 'invalid_json', 'the body is not JSON');
}

export function unsupportedMediaType(): ApiError {
  return new ApiError(415, 'unsupported_media_type', 'send Content-Type: application/json');
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Fields with their own code; every other field has `invalid_request`. */
const CODES: Readonly<Record<string, HttpCode | ErrorCode>> = {
  room: 'invalid_room',
  channel: 'invalid_room',
  user: 'invalid_user_id',
  from: 'invalid_user_id',
  username: 'invalid_user_id',
  'Idempotency-Key': 'invalid_idempotency_key',
};

/** Names the first invalid field of `whole`, and what is allowed there. */
export function invalidField(issues: readonly Issue[], whole = 'the body'): ApiError {
  const { path, message } = issues[0] ?? { path: [], message: ERRORS.invalid_message };
  const name = path.length === 0 ? whole : path.map(String).join('.');
  return new ApiError(400, CODES[String(path.at(-1))] ?? 'invalid_request', `${name} ${message}`);
}
