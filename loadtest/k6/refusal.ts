import http, { type CookieJar } from 'k6/http';
import { ASK } from './pods.ts';

/** Why a server did not shake hands (docs/protocol.md, “Connecting”). */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * Asks what a handshake at this address would be told now. Undefined: it would be taken, or nobody answers. With the
 * cookies of the handshake it is the same pod that answers.
 */
export async function askWhy(
  address: string,
  jar: CookieJar,
  headers: Record<string, string>,
): Promise<Refusal | undefined> {
  const params = { ...ASK, jar, headers, tags: { name: 'explain' } };
  const {
    status,
    body,
    headers: answered,
  } = await http.asyncRequest('GET', `${address}&explain=1`, null, params);
  if (status === 0 || status === 200) return undefined;
  const seconds = Number(answered['Retry-After'] ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  return { status, code: codeOf(body), retryAfterMs };
}

/** Empty for what a proxy answers without a pod. */
function codeOf(body: string): string {
  try {
    return (JSON.parse(body) as { code?: string }).code ?? '';
  } catch {
    return '';
  }
}
