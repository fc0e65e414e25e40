/** The key that an algorithm needs, as a key set names it (RFC 7518 section 6.1, RFC 8037 section 2). */
interface KeyKind {
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
}

const RSA: KeyKind = { kty: 'RSA' };
const OCTETS: KeyKind = { kty: 'oct' };
const EDWARDS: KeyKind = { kty: 'OKP', crv: 'Ed25519' };

/** The algorithms that tokens may be signed with. `none` is not among them. */
const KEY_KINDS: ReadonlyMap<string, KeyKind> = new Map([
  ['HS256', OCTETS],
  ['HS384', OCTETS],
  ['HS512', OCTETS],
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', EDWARDS],
  ['Ed25519', EDWARDS],
]);

export const TOKEN_ALGORITHMS: readonly string[] = [...KEY_KINDS.keys()];

/** Whether the algorithm signs and checks with one secret; the others check with a public key. */
export function usesSecret(algorithm: string): boolean {
  return KEY_KINDS.get(algorithm) === OCTETS;
}

/** Whether a public key is of the kind that the algorithm needs. */
export function fitsKey(algorithm: string, { kty, crv }: { kty: string; crv?: unknown }): boolean {
  const kind = KEY_KINDS.get(algorithm);
  return kind?.kty === kty && (kind.crv === undefined || kind.crv === crv);
}
