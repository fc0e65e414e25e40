import type { RefusedToken, TokenReason } from '../core/ports/authenticator.ts';
import { errors } from 'jose';

/** The longest `Retry-After`. */
const MOST_WAIT_MS = 60_000;
const LEAST_WAIT_MS = 1_000;

export function invalid(reason: TokenReason): RefusedToken {
  return { fault: 'invalid_token', reason };
}

/** The keys to check the token cannot be loaded now. */
export function unavailable(retryAfterMs: number): RefusedToken {
  return { fault: 'unavailable', reason: 'unavailable', retryAfterMs: Math.max(LEAST_WAIT_MS, retryAfterMs) };
}

/** The key of the token may be newer than the pod's key set. */
export function unknownKey(retryAfterMs: number): RefusedToken {
  return { fault: 'unavailable', reason: 'unknown_key', retryAfterMs: Math.max(LEAST_WAIT_MS, retryAfterMs) };
}

/**
 * Why jose refused a token. `now` is in milliseconds since 1970; `toleranceMs` is the tolerance that jose used.
 * Undefined if the token is not at fault, because a key of the set is unusable.
 */
export function refusedTokenOf(error: unknown, now: number, toleranceMs: number): RefusedToken | undefined {
  if (error instanceof errors.JWTExpired) return { fault: 'token_expired', reason: 'token_expired' };
  if (error instanceof errors.JWTClaimValidationFailed) return ofClaim(error, now, toleranceMs);
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('signature');
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('unknown_key');
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('algorithm');
  return error instanceof errors.JOSEError ? invalid('invalid_token') : undefined;
}

const REASONS: Readonly<Record<string, TokenReason>> = { iss: 'issuer', aud: 'audience' };

function ofClaim(
  { claim, reason, payload }: errors.JWTClaimValidationFailed,
  now: number,
  toleranceMs: number,
): RefusedToken {
  if (claim !== 'nbf' || reason !== 'check_failed') return invalid(REASONS[claim] ?? 'invalid_token');
  const wait = Number(payload.nbf) * 1_000 - toleranceMs - now;
  const retryAfterMs = Math.min(MOST_WAIT_MS, Math.max(LEAST_WAIT_MS, wait));
  return { fault: 'invalid_token', reason: 'not_yet_valid', retryAfterMs };
}
