import type { RefusedToken } from '../ports/authenticator.ts';

/** What a client is told when its token cannot be checked now, over HTTP and over the socket alike. */
export function whyUnchecked({ reason }: RefusedToken): string {
  return reason === 'unknown_key'
    ? 'the pod does not know the key of this token yet; retry later with the same token'
    : 'the keys to check tokens cannot be loaded now; retry later with the same token';
}
