import { httpUrl, withQuery } from './address.ts';
import type { Platform } from './platform.ts';
import { fieldsOf } from './wire.ts';
import { withTimeout } from './with-timeout.ts';

/** Why a server refused a handshake (docs/protocol.md, "Connecting"). */
export interface HandshakeRefusal {
  /** The HTTP status; 0 if a proxy answered without a pod behind it. */
  readonly status: number;
  /** Empty if a proxy answered. */
  readonly code: string;
  /** The server's sentence. */
  readonly error: string;
  readonly retryAfterMs: number;
}

const TIMEOUT_MS = 5_000;

/**
 * Finds out why a handshake failed. A WebSocket does not show the HTTP status, not even in browsers; so this sends a
 * plain request with `explain` in its query, which Crosspod answers as it would answer an upgrade now. Undefined if
 * the server would accept an upgrade, or if no answer comes within 5 s.
 */
export async function askForRefusal(
  url: string,
  token: string | undefined,
  { fetch, clock }: Pick<Platform, 'fetch' | 'clock'>,
  signal: AbortSignal,
): Promise<HandshakeRefusal | undefined> {
  const address = withQuery(httpUrl(url), 'explain', '1');
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const abort = new AbortController();
  const ask = async (): Promise<HandshakeRefusal | undefined> => {
    // A page sends no `Origin` to the server it was loaded from. The referrer tells the server the page's origin, which
    // may be the reason for the refusal.
    const about = { headers, signal: abort.signal, referrerPolicy: 'origin' } as const;
    const answer = await fetchWithCookies(fetch, address, about);
    if (answer.status === 200) return undefined;
    const retryAfterMs = Math.max(0, 1_000 * Number(answer.headers.get('Retry-After')) || 0);
    const { code, error } = fieldsOf(await answer.json().catch(() => undefined));
    if (typeof code !== 'string') return { status: 0, code: '', error: 'no pod answers', retryAfterMs };
    return { status: answer.status, code, error: String(error), retryAfterMs };
  };
  try {
    return await withTimeout(ask(), TIMEOUT_MS, clock, signal);
  } catch {
    return undefined;
  } finally {
    abort.abort();
  }
}

/**
 * A WebSocket sends the cookies of its server, also from a page of another origin; they may name the user. So they are
 * sent here, too. A server that does not use cookies does not allow that, and the browser then shows no answer.
 */
async function fetchWithCookies(
  fetch: Platform['fetch'],
  address: string,
  about: Parameters<Platform['fetch']>[1],
): Promise<Awaited<ReturnType<Platform['fetch']>>> {
  const page = (globalThis as { location?: { origin?: unknown } }).location?.origin;
  if (typeof page !== 'string' || address.startsWith(`${page}/`)) return fetch(address, about);
  return fetch(address, { ...about, credentials: 'include' }).catch(() => fetch(address, about));
}
