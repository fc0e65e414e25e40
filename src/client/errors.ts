import type { ErrorCode } from '../protocol/error-codes.ts';

/**
 * The client's own error codes.
 *
 * @inline
 */
type ClientCode = 'closed' | 'left' | 'queue_full' | 'outcome_unknown' | 'too_large';

/**
 * The error that `send`, `sendTo`, `broadcast`, `call` and `join` reject with, and that `onError` and `onLeft` listeners
 * receive.
 */
export class CrosspodError extends Error {
  override readonly name = 'CrosspodError';
  /**
   * One of the protocol's error codes, or one of the client's own: `closed` (the client is closed), `left` (the client
   * left the room, or the server removed it), `queue_full` (too many messages or calls wait for their answer),
   * `outcome_unknown` (it is too late to send the message or call again safely) and `too_large` (the server would reject the message for its
   * length). An application's hooks and backend may send codes of their own, and a newer
   * server codes that are not listed here.
   */
  readonly code: ErrorCode | ClientCode;
  /** How many milliseconds to wait before the next try, if the server said so. */
  readonly retryAfterMs: number | undefined;

  /** @internal */
  constructor(code: ErrorCode | ClientCode, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

const TRANSIENT: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'internal']);
const RETRY_MS = 1_000;

/** How many milliseconds to wait before the same request may succeed; undefined if it never will. */
export function retryDelayMs(error: CrosspodError): number | undefined {
  return TRANSIENT.has(error.code) ? (error.retryAfterMs ?? RETRY_MS) : undefined;
}
