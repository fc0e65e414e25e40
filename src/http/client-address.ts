import { isTrusted, type TrustedProxies } from '../core/base/trusted-proxies.ts';
import { isIP } from 'node:net';

/**
 * The client's address, for limits. Each proxy adds the address it was called from at the end of `X-Forwarded-For`, so
 * that it is read from there, for as long as whoever added it is trusted; what stands before is what somebody further
 * away says and may be made up. Where there is none, or it is no address, that of the last one trusted counts. Whoever
 * has an IPv6 network has 2^64 addresses of it, so that these count as one.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  proxies: TrustedProxies,
): string {
  const told = (forwardedFor?.split(',') ?? []).map((text) => plain(withoutPort(text.trim())));
  let address = plain(peer ?? '');
  for (let hops = 0; isTrusted(proxies, address, hops); hops += 1) {
    const before = told.pop();
    if (before === undefined || isIP(before) === 0) break;
    address = before;
  }
  return network(address);
}

/** Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. */
function withoutPort(text: string): string {
  const [, bracketed, bare] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? bare ?? text;
}

/** An IPv4 address that is written as an IPv6 one is itself (RFC 4291 section 2.5.5.2). */
function plain(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  return mapped ?? address;
}

function network(address: string): string {
  if (isIP(address) !== 6) return address;
  const [start = '', end] = (address.split('%')[0] ?? '').split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const left = groups(start);
  const right = groups(end);
  // What `::` stands for; an IPv4 tail fills two groups, but only far behind the first four.
  const zeros = end === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const first = [...left, ...zeros, ...right].slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
