import type { Authenticator, TokenFault } from '../core/ports/authenticator.ts';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose';
import { type KeySources, type Verifier, verifiersOf } from './keys.ts';
import type { Principal } from '../core/principal.ts';
import { isUserId } from '../protocol/names.ts';
import { readPermissions } from '../core/permissions.ts';

/** How far the clocks of whoever issues tokens and of the pods may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;

export interface JwtOptions extends KeySources {
  /** Checked when given. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** The claim that holds the user id; where it is absent: `user_id`, then `sub`. */
  readonly userClaim: string;
  readonly permissionsClaim: string;
}

/** Accepts JSON Web Tokens (RFC 7519) signed with one of the keys. Raises an error where a key file cannot be used. */
export function jwtAuthenticator(options: JwtOptions): Authenticator {
  const verifiers = verifiersOf(options);
  return {
    async authenticate(token) {
      const payload = await verify(token, verifiers, options);
      return 'fault' in payload
        ? payload
        : (principalOf(payload.claims, options) ?? { fault: 'invalid_token' });
    },
  };
}

type Verified = { readonly claims: JWTPayload } | { readonly fault: TokenFault };

/** Tries each verifier that the token's algorithm allows; the fault of the last one counts. */
async function verify(token: string, verifiers: readonly Verifier[], options: JwtOptions): Promise<Verified> {
  const algorithm = algorithmOf(token);
  let result: Verified = { fault: 'invalid_token' };
  for (const verifier of verifiers) {
    if (algorithm === undefined || !verifier.algorithms.includes(algorithm)) continue;
    result = await verifyWith(token, verifier, options);
    if ('claims' in result || result.fault === 'token_expired') return result;
  }
  return result;
}

async function verifyWith(
  token: string,
  { key, algorithms }: Verifier,
  options: JwtOptions,
): Promise<Verified> {
  const { issuer, audience } = options;
  const checks = {
    algorithms: [...algorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  try {
    const { payload } =
      typeof key === 'function' ? await jwtVerify(token, key, checks) : await jwtVerify(token, key, checks);
    return { claims: payload };
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error, checks);
    return { fault: faultOf(error) };
  }
}

/** The set has several keys that could be meant, and the token names none: whichever fits. */
async function verifyWithAny(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  checks: JWTVerifyOptions,
): Promise<Verified> {
  for await (const key of keys) {
    try {
      return { claims: (await jwtVerify(token, key, checks)).payload };
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return { fault: faultOf(error) };
    }
  }
  return { fault: 'invalid_token' };
}

function algorithmOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).alg;
  } catch {
    return undefined;
  }
}

/** jose's errors have stable codes; what is none of them went wrong while fetching keys. */
function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return 'token_expired';
  if (error instanceof errors.JWKSTimeout) return 'unavailable';
  // A key set that answers with something else than a key set is as good as none.
  if (error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC') return 'invalid_token';
  return 'unavailable';
}

function principalOf(claims: JWTPayload, { userClaim, permissionsClaim }: JwtOptions): Principal | undefined {
  const userId = claims[userClaim] ?? claims['user_id'] ?? claims.sub;
  const permissions = readPermissions(claims[permissionsClaim]);
  if (typeof userId !== 'string' || !isUserId(userId) || permissions === undefined) return undefined;
  return { userId, permissions, expiresAt: endOf(claims) };
}

/** In milliseconds; an end beyond all dates, as some write for never, is none. */
function endOf({ exp }: JWTPayload): number | undefined {
  return exp === undefined || Number.isNaN(new Date(exp * 1_000).getTime()) ? undefined : exp * 1_000;
}
