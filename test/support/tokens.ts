import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';

/** What the tests give as JWT_SECRET. */
export const SECRET = 'the-secret-of-the-tests-0123456789';

/** What a token says, right or wrong. */
export interface Claims {
  readonly [name: string]: unknown;
}

/** Seconds since 1970, so many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

/** A token signed with HS256. It ends in an hour unless the claims say otherwise; `exp: undefined` is never. */
export function token(claims: Claims, secret = SECRET): Promise<string> {
  return new SignJWT({ exp: inSeconds(3_600), ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(secret));
}

export function bearer(text: string): { Authorization: string } {
  return { Authorization: `Bearer ${text}` };
}

/** The headers of somebody who signs in with a token of these claims. */
export async function signedIn(claims: Claims): Promise<{ Authorization: string }> {
  return bearer(await token(claims));
}

export interface KeyPair {
  /** What a key set shows of it. */
  readonly jwk: JWK;
  /** The public key as PEM text. */
  readonly pem: string;
  /** A token signed with it; it ends in an hour unless the claims say otherwise. */
  readonly sign: (claims: Claims) => Promise<string>;
}

type PublicAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'ES256' | 'ES384' | 'EdDSA';

/** A new key pair; without a `kid` neither the key nor its tokens say which it is. */
export async function keyPair(alg: PublicAlgorithm, kid?: string): Promise<KeyPair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const named = kid === undefined ? {} : { kid };
  return {
    jwk: { ...(await exportJWK(publicKey)), ...named, alg, use: 'sig' },
    pem: await exportSPKI(publicKey),
    sign: (claims) =>
      new SignJWT({ exp: inSeconds(3_600), ...claims })
        .setProtectedHeader({ alg, ...named })
        .sign(privateKey),
  };
}

/** An identity provider as far as a pod knows it: a key set at a URL. */
export class KeyServer {
  keys: readonly JWK[];
  /** What it answers with; with anything but 200 there are no keys. */
  status = 200;
  /** How often it was asked. */
  asked = 0;
  /** Whom it answers: header `Authorization`; undefined: everybody. */
  login: string | undefined;
  readonly #server: Server;

  constructor(keys: readonly JWK[]) {
    this.keys = keys;
    this.#server = createServer(({ headers }, answer) => {
      this.asked += 1;
      const isKnown = this.login === undefined || this.login === headers.authorization;
      const status = isKnown ? this.status : 401;
      answer.writeHead(status, { 'Content-Type': 'application/json' });
      answer.end(status === 200 ? JSON.stringify({ keys: this.keys }) : '{}');
    });
  }

  /** Listens and gives the URL of the keys. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
