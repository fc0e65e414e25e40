import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { HttpAddress } from '../core/base/http-address.ts';
import { usesSecret } from '../core/base/token-algorithms.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** The sources of keys; at least one is set. */
export interface KeySources {
  /** For HS256. */
  readonly secret: string | undefined;
  /** The secret before this one: tokens signed with it are still accepted. */
  readonly previousSecret?: string | undefined;
  /** Algorithms beside the usual ones, each for keys of its own kind (JWT_ALGORITHMS). */
  readonly algorithms?: readonly string[] | undefined;
  /** For RS256, ES256 and EdDSA. */
  readonly remoteKeys: RemoteKeys | undefined;
  readonly keySet: JSONWebKeySet | undefined;
}

/** Verifies tokens of one family of algorithms. */
export interface Verifier {
  readonly algorithms: readonly string[];
  readonly key: Uint8Array | JWTVerifyGetKey;
  /** Absent if the keys never change. */
  readonly remote?: RemoteKeys;
}

const SYMMETRIC = ['HS256'];
const ASYMMETRIC = ['RS256', 'ES256', 'EdDSA'];

/** The time limit of a request to the key server. */
const LOAD_MS = 5_000;

/**
 * Creates a verifier for each key source. A token's `alg` only selects among them: a secret verifies only HMACs, and a
 * public key only signatures (RFC 8725 section 3.1).
 */
export function verifiersOf(sources: KeySources): Verifier[] {
  const { secret, previousSecret, algorithms = [], remoteKeys, keySet } = sources;
  const symmetric = [...SYMMETRIC, ...algorithms.filter((one) => usesSecret(one))];
  const asymmetric = [...ASYMMETRIC, ...algorithms.filter((one) => !usesSecret(one))];
  const verifiers: Verifier[] = [secret, previousSecret]
    .filter((one) => one !== undefined)
    .map((one) => ({ algorithms: symmetric, key: new TextEncoder().encode(one) }));
  if (keySet !== undefined) verifiers.push({ algorithms: asymmetric, key: createLocalJWKSet(keySet) });
  if (remoteKeys !== undefined) {
    verifiers.push({ algorithms: asymmetric, key: remoteKeys.key, remote: remoteKeys });
  }
  return verifiers;
}

/** Loads the key set at an address. Rejects without an answer 200 within five seconds. Does not follow redirects. */
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
