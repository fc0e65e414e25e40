import { isIP } from 'node:net';

/**
 * The client's address, for limits. Behind a proxy (`trustProxy`) it is the rightmost of `X-Forwarded-For`: the one
 * that the proxy next to the pod has added, while all before it is what somebody further away says and may be made
 * up. Where there is none, or it is no address, the peer's own counts. Whoever has an IPv6 network has 2^64 addresses
 * of it, so that these count as one.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustProxy: boolean,
): string {
  const forwarded = trustProxy ? withoutPort(forwardedFor?.split(',').at(-1)?.trim() ?? '') : '';
  return network(isIP(forwarded) === 0 ? (peer ?? '') : forwarded);
}

/** Some proxies write `1.2.3.4:5678` or `[2001:db8::1]:5678`. */
function withoutPort(text: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|([^:]+):\d+)$/.exec(text) ?? [];
  return bracketed ?? plain ?? text;
}

function network(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined || isIP(address) !== 6) return mapped ?? address;
  const [start = '', end] = (address.split('%')[0] ?? '').split('::');
  const groups = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const left = groups(start);
  const right = groups(end);
  // What `::` stands for; an IPv4 tail fills two groups, but only far behind the first four.
  const zeros = end === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const first = [...left, ...zeros, ...right].slice(0, 4).map((group) => parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}
