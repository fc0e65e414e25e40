import type { Authenticator, RefusedToken } from '../core/ports/authenticator.ts';
import { unavailable, invalid, unknownKey, refusedTokenOf } from './refused-token.ts';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose';
import { type KeySources, type Verifier, verifiersOf } from './keys.ts';
import type { Clock } from '../core/ports/clock.ts';
import { KeysUnavailable, type RemoteKeys } from './remote-keys.ts';
import type { Principal } from '../core/ports/principal.ts';
import { isUserId } from '../protocol/names.ts';
import { readPermissions } from '../core/base/permissions.ts';

/** How far the clocks of whoever issues tokens and of the pods may be apart. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A key of the set that cannot be used is mended there. */
const UNUSABLE_KEY_MS = 5_000;

export interface JwtOptions extends KeySources {
  /** Checked when given. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** The claim that holds the user id; where it is absent: `user_id`, then `sub`. */
  readonly userClaim: string;
  readonly permissionsClaim: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** Accepts JSON Web Tokens (RFC 7519) signed with one of the keys. Raises an error where a key file cannot be used. */
export function jwtAuthenticator(options: JwtOptions): Authenticator {
  const verifiers = verifiersOf(options);
  return {
    async authenticate(token) {
      const result = await verify(token, verifiers, options);
      return 'fault' in result ? result : principalOf(result.claims, options);
    },
  };
}

type Verified = { readonly claims: JWTPayload } | RefusedToken;
type Header = ReturnType<typeof decodeProtectedHeader>;

/** A token that one of them could not tell may be good for the next; what was signed with its key is judged for good. */
const GO_ON = new Set(['signature', 'unknown_key', 'unavailable', 'invalid_token']);

/** Tries each verifier that the token's algorithm allows; what the last one says counts. */
async function verify(token: string, verifiers: readonly Verifier[], options: JwtOptions): Promise<Verified> {
  const header = headerOf(token);
  if (header === undefined) return invalid('invalid_token');
  let result: Verified = invalid('algorithm');
  for (const verifier of verifiers) {
    if (header.alg === undefined || !verifier.algorithms.includes(header.alg)) continue;
    result = await verifyOrRefresh(token, header, verifier, options);
    if ('claims' in result || !GO_ON.has(result.reason)) return result;
  }
  return result;
}

/** A key that is not known may have been added to the set since it was loaded. */
async function verifyOrRefresh(
  token: string,
  header: Header,
  verifier: Verifier,
  options: JwtOptions,
): Promise<Verified> {
  const { remote } = verifier;
  try {
    const result = await verifyWith(token, verifier, options);
    if (remote === undefined || !isUnknown(result, header)) return result;
    const isLatest = await remote.refresh(header.kid);
    const again = await verifyWith(token, verifier, options);
    if (isLatest || !isUnknown(again, header)) return again;
    return remote.isUnavailable ? unavailable(remote.waitMs) : unknownKey(remote.waitMs);
  } catch (error) {
    return unavailable(error instanceof KeysUnavailable ? waitOf(remote) : UNUSABLE_KEY_MS);
  }
}

function waitOf(remote: RemoteKeys | undefined): number {
  return remote?.waitMs ?? 0;
}

/** Where a token names no key, that none fits is all that can be seen of a new one. */
function isUnknown(result: Verified, { kid }: Header): boolean {
  if ('claims' in result) return false;
  return result.reason === 'unknown_key' || (result.reason === 'signature' && kid === undefined);
}

/** Raises what is no fault of the token's. */
async function verifyWith(
  token: string,
  { key, algorithms }: Verifier,
  options: JwtOptions,
): Promise<Verified> {
  const { issuer, audience, clock } = options;
  const checks = {
    algorithms: [...algorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: new Date(clock.now()),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  };
  try {
    const { payload } =
      typeof key === 'function' ? await jwtVerify(token, key, checks) : await jwtVerify(token, key, checks);
    return { claims: payload };
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithAny(token, error, checks, options);
    return refusedOf(error, options);
  }
}

/** The set has several keys that could be meant, and the token names none: whichever fits. */
async function verifyWithAny(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  checks: JWTVerifyOptions,
  options: JwtOptions,
): Promise<Verified> {
  for await (const key of keys) {
    try {
      return { claims: (await jwtVerify(token, key, checks)).payload };
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) return refusedOf(error, options);
    }
  }
  return invalid('signature');
}

function refusedOf(error: unknown, { clock }: JwtOptions): RefusedToken {
  const refused = refusedTokenOf(error, clock.now(), CLOCK_TOLERANCE_SECONDS * 1_000);
  if (refused === undefined) throw error;
  return refused;
}

/** Undefined for what is no token. */
function headerOf(token: string): Header | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

function principalOf(
  claims: JWTPayload,
  { userClaim, permissionsClaim }: JwtOptions,
): Principal | RefusedToken {
  const userId = userIdOf(claims[userClaim] ?? claims['user_id'] ?? claims.sub);
  const permissions = readPermissions(claims[permissionsClaim]);
  if (userId === undefined || !isUserId(userId)) return invalid('user_id');
  if (permissions === undefined) return invalid('permissions');
  return { userId, permissions, expiresAt: endOf(claims) };
}

/** Many frameworks write a number, though RFC 7519 section 4.1.2 wants a string; beyond 2^53 two users would be one. */
function userIdOf(claim: unknown): string | undefined {
  if (Number.isSafeInteger(claim)) return String(claim);
  return typeof claim === 'string' ? claim : undefined;
}

/** In milliseconds; an end beyond all dates, as some write for never, is none. */
function endOf({ exp }: JWTPayload): number | undefined {
  return exp === undefined || Number.isNaN(new Date(exp * 1_000).getTime()) ? undefined : exp * 1_000;
}
