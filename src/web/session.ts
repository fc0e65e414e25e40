import { Crosspod, type TokenSource } from '../client/client.ts';
import { type Guest, logIn } from './guest-login.ts';

/** Connects a guest. The token is only in memory, and each new connection gets a new one. */
export function connectAs(guest: Guest): Crosspod {
  const url = new URL('/ws', location.href).href;
  return guest.token === null
    ? new Crosspod(url, { userId: guest.userId })
    : new Crosspod(url, { getToken: tokensOf(guest) });
}

/** Returns the token of the first login, and then a new token each time. */
function tokensOf(guest: Guest): TokenSource {
  let first: Guest | undefined = guest;
  return async () => {
    const { token, expiresAt } = first ?? (await logIn(guest.name));
    first = undefined;
    if (token === null) throw new Error('the server no longer requires tokens');
    return { token, expiresAt };
  };
}
