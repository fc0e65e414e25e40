import { createHash, timingSafeEqual } from 'node:crypto';
import { ApiError } from './errors.ts';
import type { ApiOptions } from './api-env.ts';
import type { Authenticator, RefusedToken } from '../core/ports/authenticator.ts';
import type { Denylist } from '../core/ports/denylist.ts';
import { whyDenied } from '../core/commands/deny.ts';
import { whyUnchecked } from '../core/base/unchecked-token.ts';

/** The headers that identify the sender of a request. */
export interface Credentials {
  /** Header `X-API-Key`. */
  readonly key: string | undefined;
  /** Header `Authorization`. */
  readonly authorization: string | undefined;
}

/** The caller as far as it is known; with `refusal` it may not use the API. */
export interface Identity {
  readonly name?: string | undefined;
  readonly refusal?: ApiError;
}

/** Decides who may use the API. */
export class Access {
  readonly #hasKeys: boolean;
  readonly #isKey: (key: string) => boolean;
  readonly #authenticator: Authenticator | undefined;
  readonly #denylist: Denylist;

  constructor({ apiKeys, pod }: Pick<ApiOptions, 'apiKeys' | 'pod'>) {
    this.#hasKeys = apiKeys.length > 0;
    this.#isKey = keyTest(apiKeys);
    this.#authenticator = pod.authenticator;
    this.#denylist = pod.denylist;
  }

  /**
   * An API key permits everything, a token what its permissions allow. A wrong key is refused even beside a valid
   * token, so that the caller notices it.
   */
  async identify({ key, authorization }: Credentials): Promise<Identity> {
    if (!this.#hasKeys && this.#authenticator === undefined) return {};
    if (key !== undefined) return this.#identifyKey(key);
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (this.#authenticator === undefined) {
      return { refusal: unauthorized('missing_api_key', 'send an API key in the header X-API-Key') };
    }
    if (token === undefined) return { refusal: unauthorized('missing_token', 'missing token') };
    return identifyToken(this.#authenticator, this.#denylist, token);
  }

  #identifyKey(key: string): Identity {
    if (!this.#isKey(key)) return { refusal: unauthorized('invalid_api_key', 'invalid API key') };
    return { name: `key:${digest(key).toString('base64url')}` };
  }
}

/** Returns a function that tells whether a key is one of `apiKeys`. */
export function keyTest(apiKeys: readonly string[]): (key: string | undefined) => boolean {
  const keys = apiKeys.map(digest);
  return (key) => {
    if (key === undefined) return false;
    const given = digest(key);
    // Compares with every key, so that the time it takes reveals nothing about the keys.
    return keys.filter((known) => timingSafeEqual(known, given)).length > 0;
  };
}

async function identifyToken(
  authenticator: Authenticator,
  denylist: Denylist,
  token: string,
): Promise<Identity> {
  const result = await authenticator.authenticate(token);
  if ('fault' in result) return { refusal: refusalOf(result) };
  const name = `user:${result.userId}`;
  const denied = whyDenied(denylist, result);
  if (denied?.code === 'blocked') return { name, refusal: new ApiError(403, denied.code, denied.error) };
  if (denied !== undefined) return { name, refusal: unauthorized(denied.code, denied.error) };
  if (result.permissions.allowApi) return { name };
  return { name, refusal: new ApiError(403, 'forbidden', 'the token lacks the permission api:*') };
}

/** Has `Retry-After` if the same token may be accepted later. */
function refusalOf(refused: RefusedToken): ApiError {
  const { fault, retryAfterMs } = refused;
  const later: Record<string, string> =
    retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) };
  if (fault === 'unavailable') {
    return new ApiError(503, fault, whyUnchecked(refused), { 'Retry-After': '5', ...later });
  }
  return unauthorized(fault, fault.replace('_', ' '), later);
}

function unauthorized(
  code:
    | 'missing_api_key'
    | 'missing_token'
    | 'invalid_api_key'
    | 'invalid_token'
    | 'token_expired'
    | 'token_revoked',
  error: string,
  headers: Readonly<Record<string, string>> = {},
): ApiError {
  // RFC 9110 section 11.6.1 requires a challenge; RFC 6750 section 3 defines it.
  const challenge = code.startsWith('missing') ? 'Bearer' : 'Bearer error="invalid_token"';
  return new ApiError(401, code, error, { 'WWW-Authenticate': challenge, ...headers });
}

/** timingSafeEqual needs inputs of equal length. */
function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
