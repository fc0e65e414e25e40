import type { RefusedToken } from '../ports/authenticator.ts';

/** What a client is told when its token cannot be checked now, over HTTP and over the socket alike. */
export function whyUnchecked({ reason }: RefusedToken): string {
  return reason === 'unknown_key'
    ? 'the key of this token is not known yet; show it again later'
    : 'the keys to check tokens with cannot be had at present; show it again later';
}
