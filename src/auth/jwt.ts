import type { Authenticator, RefusedToken } from '../core/ports/authenticator.ts';
import { unavailable, invalid, unknownKey, refusedTokenOf } from './refused-token.ts';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose';
import { type KeySources, type Verifier, verifiersOf } from './keys.ts';
import type { Clock } from '../core/ports/clock.ts';
import { KeysUnavailable, type RemoteKeys } from './remote-keys.ts';
import type { Principal } from '../core/ports/principal.ts';
import { isUserId } from '../protocol/names.ts';
import { readPermissions } from '../core/base/permissions.ts';
import { readRooms } from './rooms-claim.ts';

/** How far the clocks of the token issuer and of the pods may differ. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** `Retry-After` while a key of the set is unusable, until its operator repairs it. */
const UNUSABLE_KEY_MS = 5_000;

export interface JwtOptions extends KeySources {
  /** Checked if set; so is `audience`. */
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** The claim with the user id. If a token lacks it: `user_id`, then `sub`. */
  readonly userClaim: string;
  readonly permissionsClaim: string;
  /** Whether a principal has the claims of its token. */
  readonly keepsClaims?: boolean;
  /** The claim with the rooms of the user. Without it no claim is read. */
  readonly roomsClaim?: string | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/** Accepts JSON Web Tokens (RFC 7519) signed with one of the keys. Raises an error if a key file is unusable. */
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

/** After these reasons, another verifier may still accept the token. After any other, its signature was valid. */
const TRY_NEXT_VERIFIER = new Set(['signature', 'unknown_key', 'unavailable', 'invalid_token']);

/** Tries each verifier that fits the token's algorithm, until one accepts it or rejects it for good. */
async function verify(token: string, verifiers: readonly Verifier[], options: JwtOptions): Promise<Verified> {
  const header = headerOf(token);
  if (header === undefined) return invalid('invalid_token');
  let result: Verified = invalid('algorithm');
  for (const verifier of verifiers) {
    if (header.alg === undefined || !verifier.algorithms.includes(header.alg)) continue;
    result = await verifyOrRefresh(token, header, verifier, options);
    if ('claims' in result || !TRY_NEXT_VERIFIER.has(result.reason)) return result;
  }
  return result;
}

/** Refreshes the key set for an unknown key, which may have been added since the set was loaded. */
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

/** If a token names no key, a new key shows only as a signature that no known key verifies. */
function isUnknown(result: Verified, { kid }: Header): boolean {
  if ('claims' in result) return false;
  return result.reason === 'unknown_key' || (result.reason === 'signature' && kid === undefined);
}

/** Raises errors that are not the token's fault. */
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

/** The token names no key, and several keys of the set fit its algorithm: tries each. */
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

/** Undefined if the text is not a token. */
function headerOf(token: string): Header | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

function principalOf(
  claims: JWTPayload,
  { userClaim, permissionsClaim, roomsClaim, keepsClaims }: JwtOptions,
): Principal | RefusedToken {
  const userId = userIdOf(claims[userClaim] ?? claims['user_id'] ?? claims.sub);
  const permissions = readPermissions(claims[permissionsClaim]);
  const rooms = roomsClaim === undefined ? undefined : claims[roomsClaim];
  if (userId === undefined || !isUserId(userId)) return invalid('user_id');
  if (permissions === undefined) return invalid('permissions');
  const own = {
    tokenId: typeof claims.jti === 'string' ? claims.jti : undefined,
    issuedAt: beginOf(claims),
    hasToken: true,
  };
  const principal = { userId, permissions, expiresAt: endOf(claims), ...own, ...(keepsClaims && { claims }) };
  if (rooms === undefined) return principal;
  const names = readRooms(rooms);
  return names === undefined ? invalid('rooms') : { ...principal, rooms: names };
}

/**
 * Accepts whole numbers too, which many frameworks write against RFC 7519 section 4.1.2. Above 2^53, two users would
 * get the same id.
 */
function userIdOf(claim: unknown): string | undefined {
  if (Number.isSafeInteger(claim)) return String(claim);
  return typeof claim === 'string' ? claim : undefined;
}

/** In milliseconds. Undefined if `iat` is absent: such a token falls under every revocation of its user's tokens. */
function beginOf({ iat }: JWTPayload): number | undefined {
  return typeof iat === 'number' ? iat * 1_000 : undefined;
}

/** In milliseconds. Undefined if `exp` is absent, or too large for a date, as some issuers write for never. */
function endOf({ exp }: JWTPayload): number | undefined {
  return exp === undefined || Number.isNaN(new Date(exp * 1_000).getTime()) ? undefined : exp * 1_000;
}
