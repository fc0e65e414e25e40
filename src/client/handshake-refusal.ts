import { plainUrl, withQuery } from './address.ts';
import { inTime } from './with-timeout.ts';
import type { Platform } from './platform.ts';
import { fieldsOf } from './wire.ts';

/** Why a server did not shake hands (docs/protocol.md, "Connecting"). */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  /** In the server's words. */
  readonly error: string;
  readonly retryAfterMs: number;
}

/** What is not told by then counts as not told. */
const PATIENCE_MS = 5_000;

/**
 * Asks why a handshake failed. A WebSocket does not say with which status, not even in browsers; with `explain` in
 * its address Crosspod answers a plain request as it would answer an upgrade now. Undefined: it would take one, or
 * nobody answers. A code that is empty is a proxy's answer, without a pod behind it.
 */
export async function askWhy(
  url: string,
  token: string | undefined,
  { fetch, clock }: Pick<Platform, 'fetch' | 'clock'>,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  const plain = withQuery(plainUrl(url), 'explain', '1');
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const abort = new AbortController();
  const ask = async (): Promise<Refusal | undefined> => {
    // To the server that it comes from a page sends no `Origin`, and that may be why.
    const answer = await fetch(plain, { headers, signal: abort.signal, referrerPolicy: 'origin' });
    if (answer.status === 200) return undefined;
    const retryAfterMs = Math.max(0, 1_000 * Number(answer.headers.get('Retry-After')) || 0);
    const { code, error } = fieldsOf(await answer.json().catch(() => undefined));
    if (typeof code !== 'string') return { status: 0, code: '', error: 'no pod answers', retryAfterMs };
    return { status: answer.status, code, error: String(error), retryAfterMs };
  };
  try {
    return await inTime(ask(), PATIENCE_MS, clock, signal);
  } catch {
    return undefined;
  } finally {
    abort.abort();
  }
}
