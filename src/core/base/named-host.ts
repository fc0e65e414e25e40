import { isTrusted, type TrustedProxies } from './trusted-proxies.ts';

interface Named {
  /** The header `Host`. */
  readonly host: string | undefined;
  /** The header `X-Forwarded-Host`. */
  readonly forwardedHost: string | undefined;
  /** The address that the request came from. */
  readonly peer: string | undefined;
}

/** The host that the client connected to, even if a trusted proxy replaced the `Host` header. */
export function namedHost(
  { host, forwardedHost, peer = '' }: Named,
  proxies: TrustedProxies,
): string | undefined {
  const forwarded = isTrusted(proxies, peer, 0) ? forwardedHost : undefined;
  // Each further proxy appends its own host.
  return forwarded?.split(',')[0]?.trim() || host;
}
