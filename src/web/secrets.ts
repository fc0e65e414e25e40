/** The user may show the log to others, so it must not contain tokens. */

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
