import { type ErrorCode, type OwnCode, type Rejection, rejection } from '../../protocol/error-codes.ts';

/** Thrown by a use case that does not do what it was asked; the caller passes the rejection on. */
export class Refused extends Error {
  readonly rejection: Rejection;

  /** `retryAfterMs`: milliseconds after which the same request may succeed, if that is known. */
  constructor(code: ErrorCode | OwnCode, error?: string, retryAfterMs?: number) {
    super(code);
    this.rejection = { ...rejection(code, error), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
}

/** Whether it failed because the other pods or the history cannot be reached. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Refused && error.rejection.code === 'unavailable';
}

/** Raises `forbidden` unless `permitted`. */
export function permit(permitted: boolean): void {
  if (!permitted) throw new Refused('forbidden');
}
