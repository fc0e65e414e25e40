import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { HttpAddress } from '../core/base/http-address.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** Where keys come from; at least one. */
export interface KeySources {
  /** For HS256. */
  readonly secret: string | undefined;
  /** For RS256, ES256 and EdDSA. */
  readonly remoteKeys: RemoteKeys | undefined;
  readonly keySet: JSONWebKeySet | undefined;
}

/** What verifies a token of one family of algorithms. */
export interface Verifier {
  readonly algorithms: readonly string[];
  readonly key: Uint8Array | JWTVerifyGetKey;
  /** Absent: what is not known now never will be. */
  readonly remote?: RemoteKeys;
}

const SYMMETRIC = ['HS256'];
const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA'];

/** How long the key server may take. */
const LOAD_MS = 5_000;

/**
 * A verifier for each key source. A token's `alg` only chooses among them: the secret verifies nothing but HS256, a
 * public key nothing but a signature (RFC 8725 section 3.1).
 */
export function verifiersOf({ secret, remoteKeys, keySet }: KeySources): Verifier[] {
  const verifiers: Verifier[] = [];
  if (secret !== undefined) verifiers.push({ algorithms: SYMMETRIC, key: new TextEncoder().encode(secret) });
  if (keySet !== undefined) verifiers.push({ algorithms: ASYMMETRIC, key: createLocalJWKSet(keySet) });
  if (remoteKeys !== undefined) {
    verifiers.push({ algorithms: ASYMMETRIC, key: remoteKeys.key, remote: remoteKeys });
  }
  return verifiers;
}

/** Loads the key set at an address; rejects where there is none within five seconds. No redirect is followed. */
export async function loadKeys({ address, authorization }: HttpAddress): Promise<unknown> {
  const answer = await fetch(address, {
    headers: { Accept: 'application/json, application/jwk-set+json', ...authorization },
    redirect: 'manual',
    signal: AbortSignal.timeout(LOAD_MS),
  });
  if (answer.status === 200) return answer.json();
  await answer.body?.cancel();
  throw new Error(`the key server answered ${answer.status}`);
}
