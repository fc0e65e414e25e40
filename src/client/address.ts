/**
 * Addresses are put together as text: the `URL` of React Native has neither setters nor `searchParams.set`. Throws a
 * TypeError for what is none of WebSocket or HTTP.
 */
export function socketUrl(url: string, userId: string | undefined): string {
  requireUrl(url);
  const [, secure, rest] = /^(?:ws|http)(s?):(\/\/[^/?#]+[^#]*)/i.exec(url) ?? [];
  if (rest === undefined)
    throw new TypeError('the address must begin with ws://, wss://, http:// or https://');
  const full = `ws${(secure ?? '').toLowerCase()}:${rest}`;
  return userId === undefined ? full : withQuery(full, 'user_id', userId);
}

/** The address of the same path for a plain request. */
export function plainUrl(url: string): string {
  return url.replace(/^ws/, 'http');
}

/** The address with that parameter in its query, in place of what it had there; it has no fragment. */
export function withQuery(url: string, name: string, value: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const others = query.split('&').filter((part) => part !== '' && part.split('=')[0] !== name);
  return `${path}?${[...others, `${name}=${encodeURIComponent(value).replaceAll('%20', '+')}`].join('&')}`;
}

/** That of React Native may take anything, those of browsers and Node do not. */
function requireUrl(url: string): unknown {
  return typeof URL === 'function' ? new URL(url) : undefined;
}
