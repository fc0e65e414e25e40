import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Writes tokens by hand: no library for honest people makes what is needed here. */
export type Part = Readonly<Record<string, unknown>>;

export function encode(part: Part | string): string {
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

export function hmac(
  header: Part | string,
  payload: Part | string,
  secret: string | Buffer,
  hash = 'sha256',
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}

export function rsa(header: Part | string, payload: Part | string, key: KeyObject, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`;
}

export interface RsaKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** The public half. */
  readonly jwk: Part;
}

export function rsaKey(kid: string): RsaKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return {
    publicKey,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
  };
}

/** Every form in which somebody might take a public key for a secret. */
export function formsOf({ publicKey, jwk }: RsaKey): readonly (readonly [string, string | Buffer])[] {
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const pkcs1 = publicKey.export({ format: 'pem', type: 'pkcs1' }).toString();
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return [
    ['its PEM', pem],
    ['its PEM without the last line break', pem.trimEnd()],
    ['its PEM in PKCS 1', pkcs1],
    ['its DER', der],
    ['its DER in base64', der.toString('base64')],
    ['its JWK', JSON.stringify(jwk)],
    ['its modulus', Buffer.from(String(jwk['n']), 'base64url')],
    ['its modulus as text', String(jwk['n'])],
    ['nothing', ''],
    ['null', 'null'],
    ['undefined', 'undefined'],
  ];
}
