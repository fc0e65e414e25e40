/** The log may be shown to others: a token is shown by nobody's choice but that of who puts it into the address. */

export function protocolWithoutToken(protocol: string): string {
  return protocol.startsWith('bearer.') ? 'bearer.…' : protocol;
}

export function addressWithoutToken(address: string): string {
  const url = new URL(address);
  for (const name of ['token', 'access_token'])
    if (url.searchParams.has(name)) url.searchParams.set(name, '…');
  return url.href;
}

export function jsonWithoutToken(json: string): string {
  return json.replace(/("token"\s*:\s*")[^"]+"/, '$1…"');
}
