import type { ErrorCode } from '../protocol/error-codes.ts';

/**
 * Why the client refused a call itself: the connection is closed for good, the call was taken back by a `leave`, as
 * many messages wait for their ack as may wait, it is too late to send the message again, or the server would close the
 * connection for its length.
 */
type ClientCode = 'closed' | 'left' | 'queue_full' | 'outcome_unknown' | 'too_large';

/** What `send`, `sendTo` and `join` reject with. */
export class CrosspodError extends Error {
  override readonly name = 'CrosspodError';
  /** A code of the protocol's error table, or one of the client's own; a newer server may send other codes. */
  readonly code: ErrorCode | ClientCode;
  /** How long to wait before the next try, in milliseconds, where the server knows. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode | ClientCode, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

const TRANSIENT: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'internal']);
const RETRY_MS = 1_000;

/** After how many milliseconds the same request may succeed; undefined when it never will. */
export function retryDelayMs(error: CrosspodError): number | undefined {
  return TRANSIENT.has(error.code) ? (error.retryAfterMs ?? RETRY_MS) : undefined;
}
