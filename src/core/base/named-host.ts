import { isTrusted, type TrustedProxies } from './trusted-proxies.ts';

interface Named {
  /** Header `Host`. */
  readonly host: string | undefined;
  /** Header `X-Forwarded-Host`. */
  readonly forwardedHost: string | undefined;
  /** The address that the request came from. */
  readonly peer: string | undefined;
}

/** The host that a client has connected to, also where a trusted proxy in between writes another into `Host`. */
export function namedHost(
  { host, forwardedHost, peer = '' }: Named,
  proxies: TrustedProxies,
): string | undefined {
  const told = isTrusted(proxies, peer, 0) ? forwardedHost : undefined;
  // Proxies that add to it put theirs behind.
  return told?.split(',')[0]?.trim() || host;
}
