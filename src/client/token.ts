import { fieldsOf } from './wire.ts';

/** A token and when it ends, so that the client can bring a new one before. */
export interface Token {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Where tokens come from. Of a bare string that is a JWT the client reads when it ends by itself. */
export type TokenSource = () => string | Token | Promise<string | Token>;

/** Asks the source; undefined where there is none. Rejects as the source does. */
export async function tokenOf(source: TokenSource | undefined): Promise<Token | undefined> {
  const token = await source?.();
  return typeof token === 'string' ? { token, ...expiryOf(token) } : token;
}

/** By its `exp` (RFC 7519 section 4.1.4); nothing for what is no JWT. Nobody's word is taken for more than a date. */
function expiryOf(token: string): { expiresAt?: number } {
  try {
    const [, payload = ''] = token.split('.');
    const { exp } = fieldsOf(JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))));
    return typeof exp === 'number' ? { expiresAt: exp * 1_000 } : {};
  } catch {
    return {};
  }
}
