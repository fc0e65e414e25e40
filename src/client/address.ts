/**
 * Makes the WebSocket address of a server, with `user_id` if it is given. Raises a TypeError if `url` is not a
 * WebSocket or HTTP URL. Addresses are handled as text because the `URL` of React Native has neither setters nor
 * `searchParams.set`.
 */
export function socketUrl(url: string, userId: string | undefined): string {
  requireUrl(url);
  const [, secure, rest] = /^(?:ws|http)(s?):(\/\/[^/?#]+[^#]*)/i.exec(url) ?? [];
  if (rest === undefined)
    throw new TypeError('The address must begin with ws://, wss://, http:// or https://.');
  const full = `ws${(secure ?? '').toLowerCase()}:${rest}`;
  return userId === undefined ? full : withQuery(full, 'user_id', userId);
}

/** The HTTP address with the same host and path. */
export function httpUrl(url: string): string {
  return url.replace(/^ws/, 'http');
}

/** Sets one query parameter, replacing an earlier value. The address must have no fragment. */
export function withQuery(url: string, name: string, value: string): string {
  const [path = '', query = ''] = url.split(/\?(.*)/s);
  const others = query.split('&').filter((part) => part !== '' && part.split('=')[0] !== name);
  return `${path}?${[...others, `${name}=${encodeURIComponent(value).replaceAll('%20', '+')}`].join('&')}`;
}

/** `URL` raises a TypeError for an invalid address in browsers and Node; in React Native it may accept anything. */
function requireUrl(url: string): unknown {
  return typeof URL === 'function' ? new URL(url) : undefined;
}
