import { isTrusted, type TrustedProxies } from '../core/base/trusted-proxies.ts';
import { isIP } from 'node:net';

/**
 * The client's address, for rate limits. An IPv6 address counts as its /64 network, because its holder can use all
 * addresses of that network.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  proxies: TrustedProxies,
): string {
  return network(remoteAddress(peer, forwardedFor, proxies));
}

/**
 * The client's address. Each proxy appends the address of its caller to `X-Forwarded-For`, so the
 * header is read from its end while the addresses belong to trusted proxies; everything before may be forged. If an
 * entry is missing or not an address, the last trusted address counts.
 */
export function remoteAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  proxies: TrustedProxies,
): string {
  const forwarded = (forwardedFor?.split(',') ?? []).map((text) => plain(withoutPort(text.trim())));
  let address = plain(peer ?? '');
  for (let hops = 0; isTrusted(proxies, address, hops); hops += 1) {
    const before = forwarded.pop();
    if (before === undefined || isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. */
function withoutPort(text: string): string {
  const [, bracketed, bare] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? bare ?? text;
}

/** Unwraps an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2). */
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
  // The zeros that `::` stands for. An IPv4 tail fills two groups, but never among the first four.
  const zeros = end === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const first = [...left, ...zeros, ...right].slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
