import { BlockList, isIP } from 'node:net';

/**
 * Which proxies in front of a pod are believed (TRUST_PROXY): none, the one next to it, so many one behind the other,
 * or all whose addresses lie in these networks.
 */
export type TrustedProxies = boolean | number | Networks;

export interface Networks {
  /** Whether an IP address lies in one of them. */
  contain(address: string): boolean;
}

/** Reads addresses and networks such as `10.0.0.0/8` (RFC 4632 section 3.1); undefined where one is none. */
export function readNetworks(texts: readonly string[]): Networks | undefined {
  const list = new BlockList();
  for (const text of texts) {
    const [, address = '', digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = digits === undefined ? longest : Number(digits);
    if (version === 0 || bits > longest || address.includes('%')) return undefined;
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    contain: (address) => {
      const version = isIP(address);
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** Whether what an address says of others is believed, so many proxies away from the pod. */
export function isTrusted(proxies: TrustedProxies, address: string, hops: number): boolean {
  if (typeof proxies === 'object') return proxies.contain(address);
  return hops < Number(proxies);
}
