/**
 * The proxies in front of a pod whose headers it believes (TRUST_PROXY): none, the nearest, the nearest so many, or
 * all whose addresses are in these networks.
 */
export type TrustedProxies = boolean | number | Networks;

export interface Networks {
  /** Whether an IP address is in one of the networks. */
  contain(address: string): boolean;
}

/** Whether the pod believes the headers of the proxy at `address`, `hops` proxies away. */
export function isTrusted(proxies: TrustedProxies, address: string, hops: number): boolean {
  if (typeof proxies === 'object') return proxies.contain(address);
  return hops < Number(proxies);
}
