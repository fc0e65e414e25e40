import type { Clock } from './platform.ts';
import { fieldsOf } from './wire.ts';
import { withTimeout } from './with-timeout.ts';

/** A token and its expiry, which tells the client when to ask for the next one. */
export interface Token {
  /** The token as the server expects it. */
  readonly token: string;
  /** When the token expires, in milliseconds since 1970. Without it the client does not renew the token in advance. */
  readonly expiresAt?: number;
}

/** Returns a token. If it returns a string that is a JWT, the client reads the expiry from the JWT. */
export type TokenSource = () => string | Token | Promise<string | Token>;

/** How long a token source may take. */
const TIMEOUT_MS = 30_000;
/** The characters of a subprotocol (RFC 9110 section 5.6.2). An HTML error page, for example, does not match. */
const SENDABLE = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Asks the source for a token; undefined if there is no source. Rejects as the source does, after 30 s, when `signal`
 * aborts, and if the source returns something else than a token. No error of this module contains the token.
 */
export async function tokenOf(
  source: TokenSource | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<Token | undefined> {
  if (source === undefined) return undefined;
  const given: unknown = await withTimeout((async () => source())(), TIMEOUT_MS, clock, signal);
  const { token, expiresAt } =
    typeof given === 'string' ? { token: given, expiresAt: expiryOf(given) } : fieldsOf(given);
  if (typeof token !== 'string' || !SENDABLE.test(token)) throw new Error('getToken returned no token');
  return Number.isFinite(expiresAt) ? { token, expiresAt: expiresAt as number } : { token };
}

/**
 * The `exp` of a JWT (RFC 7519 section 4.1.4) in milliseconds; undefined for anything else. The signature is not
 * checked: the date only decides when to ask for the next token.
 */
function expiryOf(token: string): unknown {
  try {
    const [, payload = ''] = token.split('.');
    const { exp } = fieldsOf(JSON.parse(decodeBase64Url(payload)));
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Decodes base64url to one character per byte; raises a SyntaxError. Older React Native has no `atob`. */
function decodeBase64Url(base64: string): string {
  let [text, bits, held] = ['', 0, 0];
  for (const character of base64) {
    const value = BASE64.indexOf(character);
    if (value === -1) throw new SyntaxError('not base64url');
    held = ((held << 6) | value) & 0xff_ff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    text += String.fromCharCode((held >> bits) & 0xff);
  }
  return text;
}
