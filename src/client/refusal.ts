import type { Platform } from './platform.ts';
import { fieldsOf } from './wire.ts';

/** Why a server did not shake hands (docs/protocol.md, "Connecting"). */
export interface Refusal {
  readonly status: number;
  /** In the server's words. */
  readonly error: string;
  readonly retryAfterMs: number;
}

/** What is not told by then counts as not told. */
const PATIENCE_MS = 5_000;

/**
 * Asks why a handshake failed. A WebSocket does not say with which status, not even in browsers; with `explain` in
 * its address Crosspod answers a plain request as it would answer an upgrade now. Undefined: it would take one, or
 * it is not Crosspod that answers, or nobody.
 */
export async function askWhy(
  url: string,
  token: string | undefined,
  { fetch, clock }: Pick<Platform, 'fetch' | 'clock'>,
): Promise<Refusal | undefined> {
  const plain = new URL(url.replace(/^ws/, 'http'));
  plain.searchParams.set('explain', '1');
  const abort = new AbortController();
  const timer = clock.setTimeout(() => abort.abort(), PATIENCE_MS);
  try {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const answer = await fetch(plain.href, { headers, signal: abort.signal });
    if (answer.status === 200) return undefined;
    const retryAfterMs = Math.max(0, 1_000 * Number(answer.headers.get('Retry-After')) || 0);
    const { code, error } = fieldsOf(await answer.json().catch(() => undefined));
    // What does not speak so is a proxy without a pod behind it; that it may ask for patience is all it can.
    if (typeof code !== 'string') return { status: 503, error: 'no pod answers', retryAfterMs };
    return { status: answer.status, error: String(error), retryAfterMs };
  } catch {
    return undefined;
  } finally {
    clock.clearTimeout(timer);
  }
}
