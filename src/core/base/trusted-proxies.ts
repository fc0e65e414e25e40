/**
 * Which proxies in front of a pod are believed (TRUST_PROXY): none, the one next to it, so many one behind the other,
 * or all whose addresses lie in these networks.
 */
export type TrustedProxies = boolean | number | Networks;

export interface Networks {
  /** Whether an IP address lies in one of them. */
  contain(address: string): boolean;
}

/** Whether what an address says of others is believed, so many proxies away from the pod. */
export function isTrusted(proxies: TrustedProxies, address: string, hops: number): boolean {
  if (typeof proxies === 'object') return proxies.contain(address);
  return hops < Number(proxies);
}
