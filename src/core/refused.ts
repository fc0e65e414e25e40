import { type ErrorCode, type Rejection, rejection } from '../protocol/error-codes.ts';

/** Thrown by a use case that does not do what was asked; whoever asked is told the rejection. */
export class Refused extends Error {
  readonly rejection: Rejection;

  constructor(code: ErrorCode, error?: string) {
    super(code);
    this.rejection = rejection(code, error);
  }
}

/** Raises `forbidden` unless it is permitted. */
export function permit(permitted: boolean): void {
  if (!permitted) throw new Refused('forbidden');
}
