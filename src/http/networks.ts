import { BlockList, isIP } from 'node:net';
import type { Networks } from '../core/base/trusted-proxies.ts';

/** Reads addresses and networks such as `10.0.0.0/8` (RFC 4632 section 3.1). Undefined if one is invalid. */
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
