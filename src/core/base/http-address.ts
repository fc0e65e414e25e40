/** An address as fetch takes it, and who asks there. */
export interface HttpAddress {
  readonly address: URL;
  /** The header that tells the login, where there is one. */
  readonly authorization: Readonly<Record<string, string>>;
}

/**
 * Reads an http or https address; undefined for anything else. `user:password@` in it becomes an Authorization header
 * (RFC 7617), as fetch takes none there and would quote it in its error.
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

/** An address holds both percent-encoded; undefined where what it holds is no such text. */
function basic(username: string, password: string): { Authorization: string } | undefined {
  try {
    const login = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    return { Authorization: `Basic ${btoa(String.fromCharCode(...login))}` };
  } catch {
    return undefined;
  }
}
