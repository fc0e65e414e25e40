import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { readFileSync } from 'node:fs';

/** Where keys come from; at least one. */
export interface KeySources {
  /** For HS256. */
  readonly secret: string | undefined;
  /** For RS256, ES256 and EdDSA. */
  readonly jwksUrl: string | undefined;
  readonly jwksFile: string | undefined;
}

/** What verifies a token of one family of algorithms. */
export interface Verifier {
  readonly algorithms: readonly string[];
  readonly key: Uint8Array | JWTVerifyGetKey;
}

const SYMMETRIC = ['HS256'];
const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA'];

/**
 * A verifier for each key source. A token's `alg` only chooses among them: the secret verifies nothing but HS256, a
 * public key nothing but a signature (RFC 8725 section 3.1). Raises an error that names JWKS_FILE if it cannot be used.
 */
export function verifiersOf({ secret, jwksUrl, jwksFile }: KeySources): Verifier[] {
  const verifiers: Verifier[] = [];
  if (secret !== undefined) verifiers.push({ algorithms: SYMMETRIC, key: new TextEncoder().encode(secret) });
  if (jwksFile !== undefined)
    verifiers.push({ algorithms: ASYMMETRIC, key: createLocalJWKSet(readKeys(jwksFile)) });
  if (jwksUrl !== undefined) {
    verifiers.push({
      algorithms: ASYMMETRIC,
      key: createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 }),
    });
  }
  return verifiers;
}

function readKeys(path: string): JSONWebKeySet {
  try {
    const keys: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isKeySet(keys)) return keys;
  } catch (error) {
    throw new Error(`JWKS_FILE: ${path} cannot be read as JSON`, { cause: error });
  }
  throw new Error(`JWKS_FILE: ${path} holds no key set; allowed: {"keys":[…]} (RFC 7517 section 5)`);
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}
