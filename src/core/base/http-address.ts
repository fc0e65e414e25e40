/** An address as `fetch` takes it, and its login. */
export interface HttpAddress {
  readonly address: URL;
  /** The Authorization header, or nothing if the address has no login. */
  readonly authorization: Readonly<Record<string, string>>;
}

/**
 * Reads an http or https address; undefined for anything else. `user:password@` becomes an Authorization header
 * (RFC 7617): `fetch` rejects a login in the address, and quotes it in its error.
 */
export function readHttpAddress(url: string): HttpAddress | undefined {
  const address = URL.parse(url);
  if (address === null || !/^https?:$/.test(address.protocol)) return undefined;
  const { username, password } = address;
  address.username = '';
  address.password = '';
  if (username === '' && password === '') return { address, authorization: {} };
  const authorization = basic(username, password);
  return authorization && { address, authorization };
}

/** Both parts are percent-encoded in the address; undefined if they cannot be decoded. */
function basic(username: string, password: string): { Authorization: string } | undefined {
  try {
    const login = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    return { Authorization: `Basic ${btoa(String.fromCharCode(...login))}` };
  } catch {
    return undefined;
  }
}
