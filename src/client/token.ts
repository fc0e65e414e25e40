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

/** Asks the source; undefined where there is none. Rejects as the source does, or when it takes too long. */
export async function tokenOf(source: TokenSource | undefined, clock: Clock): Promise<Token | undefined> {
  if (source === undefined) return undefined;
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(new Error('it takes too long')), PATIENCE_MS);
  });
  try {
    const token = await Promise.race([source(), late]);
    return typeof token === 'string' ? { token, ...expiryOf(token) } : token;
  } finally {
    clock.clearTimeout(timer);
  }
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
