import type { Context, ErrorHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ERRORS, type ErrorCode } from '../protocol/error-codes.ts';
import { HTTPException } from 'hono/http-exception';
import type { Log } from '../core/ports/log.ts';
import { Refused } from '../core/base/refused.ts';

/** Every `code` of an HTTP error that is not one of a frame too. */
type HttpCode =
  | 'invalid_request'
  | 'invalid_user_id'
  | 'invalid_idempotency_key'
  | 'too_many_messages'
  | 'missing_token'
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'not_found'
  | 'method_not_allowed'
  | 'unsupported_media_type';

/** A request that is answered with an error: thrown anywhere below the API, written by `answerError`. */
export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: HttpCode | ErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: ContentfulStatusCode,
    code: HttpCode | ErrorCode,
    error: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(error);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The status of what a use case refuses; whatever is not listed is the caller's fault. */
const STATUS: Readonly<Partial<Record<ErrorCode, ContentfulStatusCode>>> = {
  forbidden: 403,
  rate_limited: 429,
  invalid_token: 401,
  token_expired: 401,
  too_large: 413,
  unavailable: 503,
  internal: 500,
};

/** How long a caller should wait when the pod cannot do it at present, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/** What the caller is told; something unforeseen is logged and told as `internal`. */
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
  const status = STATUS[code] ?? 400;
  const wait = retryAfterMs === undefined ? RETRY_AFTER_SECONDS : Math.ceil(retryAfterMs / 1_000);
  const headers = status === 429 || status === 503 ? { 'Retry-After': String(wait) } : {};
  return new ApiError(status, code, error, headers);
}

/** The validators of @hono/zod-openapi raise these two and no other. */
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

/** Codes of the fields that have one of their own. */
const CODES: Readonly<Record<string, HttpCode | ErrorCode>> = {
  room: 'invalid_room',
  channel: 'invalid_room',
  user: 'invalid_user_id',
  from: 'invalid_user_id',
  username: 'invalid_user_id',
  'Idempotency-Key': 'invalid_idempotency_key',
};

/** Says which field of `whole` is wrong and what is allowed, for the first of the issues that a schema has found. */
export function invalidField(issues: readonly Issue[], whole = 'the body'): ApiError {
  const { path, message } = issues[0] ?? { path: [], message: ERRORS.invalid_message };
  const name = path.length === 0 ? whole : path.map(String).join('.');
  return new ApiError(400, CODES[String(path.at(-1))] ?? 'invalid_request', `${name} ${message}`);
}
