import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** Where keys come from; at least one. */
export interface KeySources {
  /** For HS256. */
  readonly secret: string | undefined;
  /** For RS256, ES256 and EdDSA. */
  readonly jwksUrl: string | undefined;
  readonly keySet: JSONWebKeySet | undefined;
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
 * public key nothing but a signature (RFC 8725 section 3.1).
 */
export function verifiersOf({ secret, jwksUrl, keySet }: KeySources): Verifier[] {
  const verifiers: Verifier[] = [];
  if (secret !== undefined) verifiers.push({ algorithms: SYMMETRIC, key: new TextEncoder().encode(secret) });
  if (keySet !== undefined) verifiers.push({ algorithms: ASYMMETRIC, key: createLocalJWKSet(keySet) });
  if (jwksUrl !== undefined) {
    verifiers.push({
      algorithms: ASYMMETRIC,
      key: createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 }),
    });
  }
  return verifiers;
}
