import type { RefusedToken } from '../ports/authenticator.ts';

/** What whoever shows a token is told, in whichever way, when it cannot be checked at present. */
export function whyUnchecked({ reason }: RefusedToken): string {
  return reason === 'unknown_key'
    ? 'the key of this token is not known yet; show it again later'
    : 'the keys to check tokens with cannot be had at present; show it again later';
}
