import { type HttpAddress, readHttpAddress } from '../core/base/http-address.ts';
import type { Clock } from '../core/ports/clock.ts';
import { signed } from '../signed/signed.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** A longer `Retry-After` is shortened to this, because the queue would overflow meanwhile. */
const LONGEST_RETRY_AFTER_MS = 300_000;

/** The receiver of events, and the secret that signs them. */
export interface Destination extends HttpAddress {
  readonly secret: string;
}

/** `reason` is safe to log: a status or an error code, without the address or the body. */
export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined };

/** Raises an Error that names the setting and does not quote its value, which may contain a password. */
export function destinationOf(url: string, secret: string): Destination {
  const read = readHttpAddress(url);
  if (read !== undefined) return { ...read, secret };
  throw new Error('WEBHOOK_URL: the value given is not valid; allowed: an http or https URL');
}

/**
 * Posts a body once. Never rejects. `failed` may be retried: network errors, timeouts, redirects, 429 and 5xx. Any
 * other status except 2xx is `refused`. `stopped` aborts the request.
 */
export async function post(
  { address, authorization, secret }: Destination,
  body: string,
  clock: Clock,
  stopped: AbortSignal,
): Promise<Outcome> {
  const timeout = new AbortController();
  const cancel = clock.after(REQUEST_TIMEOUT_MS, () => timeout.abort());
  try {
    const answer = await fetch(address, {
      method: 'POST',
      body,
      headers: { ...authorization, ...signed(body, secret, clock.now()) },
      redirect: 'error',
      signal: AbortSignal.any([timeout.signal, stopped]),
    });
    // The body of the answer is ignored; reading it could take forever.
    await answer.body?.cancel();
    return outcomeOf(answer, clock.now());
  } catch (error) {
    return { kind: 'failed', reason: timeout.signal.aborted ? 'timeout' : reasonOf(error) };
  } finally {
    cancel();
  }
}

function outcomeOf(answer: Response, now: number): Outcome {
  if (answer.ok) return { kind: 'accepted' };
  const reason = `status ${answer.status}`;
  if (answer.status !== 429 && answer.status < 500) return { kind: 'refused', reason };
  return { kind: 'failed', reason, retryAfterMs: retryAfterMs(answer.headers.get('Retry-After'), now) };
}

/** Seconds or a date (RFC 9110 section 10.2.3); undefined for anything else. */
function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER_MS);
}

/** The code of the cause of fetch's error. Its message is not used, because it may contain the address. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error instanceof Error ? error.name : 'unknown';
}
