import { inTime } from './with-timeout.ts';
import type { Clock } from './platform.ts';
import { fieldsOf } from './wire.ts';

/** A token and when it ends, so that the client can bring a new one before. */
export interface Token {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Where tokens come from. Of a bare string that is a JWT the client reads when it ends by itself. */
export type TokenSource = () => string | Token | Promise<string | Token>;

/** A token that has not come by then is asked for anew. */
const PATIENCE_MS = 30_000;
/** What a subprotocol may be made of (RFC 9110 section 5.6.2): an error page, say, is none. */
const SENDABLE = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Asks the source; undefined where there is none. Rejects as the source does, when it takes too long or nobody waits
 * any more, and for what is no token; the token itself is in no error.
 */
export async function tokenOf(
  source: TokenSource | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<Token | undefined> {
  if (source === undefined) return undefined;
  const given: unknown = await inTime((async () => source())(), PATIENCE_MS, clock, signal);
  const { token, expiresAt } =
    typeof given === 'string' ? { token: given, expiresAt: expiryOf(given) } : fieldsOf(given);
  if (typeof token !== 'string' || !SENDABLE.test(token)) throw new Error('getToken gave something else');
  return Number.isFinite(expiresAt) ? { token, expiresAt: expiresAt as number } : { token };
}

/** By its `exp` (RFC 7519 section 4.1.4); undefined for what is no JWT. Nobody's word is taken for more than a date. */
function expiryOf(token: string): unknown {
  try {
    const [, payload = ''] = token.split('.');
    const { exp } = fieldsOf(JSON.parse(textIn(payload)));
    return typeof exp === 'number' ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** What base64url stands for, one character a byte; raises for anything else. React Native had no `atob` for long. */
function textIn(base64: string): string {
  let [text, bits, held] = ['', 0, 0];
  for (const character of base64) {
    const value = BASE64.indexOf(character);
    if (value === -1) throw new SyntaxError('this is no base64url');
    held = ((held << 6) | value) & 0xff_ff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    text += String.fromCharCode((held >> bits) & 0xff);
  }
  return text;
}
