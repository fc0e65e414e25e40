import { type ErrorCode, type Rejection, rejection } from '../../protocol/error-codes.ts';

/** Thrown by a use case that does not do what was asked; whoever asked is told the rejection. */
export class Refused extends Error {
  readonly rejection: Rejection;

  /** `retryAfterMs`: when the same may be done, where that is known. */
  constructor(code: ErrorCode, error?: string, retryAfterMs?: number) {
    super(code);
    this.rejection = { ...rejection(code, error), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
}

/** Whether it was not done for want of the other pods or the history. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof Refused && error.rejection.code === 'unavailable';
}

/** Raises `forbidden` unless it is permitted. */
export function permit(permitted: boolean): void {
  if (!permitted) throw new Refused('forbidden');
}
