/** The port that a scheme implies; some clients write the address that they connect to as their origin. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: ':80',
  ws: ':80',
  https: ':443',
  wss: ':443',
};
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)$/;

/**
 * Which pages may connect: exact origins (`https://app.example.com`, also of IPv6 addresses), or all below a domain
 * (`https://*.example.com`, one or more labels); `*` is any, `self` the host that the request itself names, and `null`
 * a page without an origin of its own. Scheme and port must be equal. One list serves the upgrade and CORS.
 */
export class Origins {
  readonly #exact: ReadonlySet<string>;
  readonly #below: readonly { readonly start: string; readonly end: string }[];
  readonly any: boolean;
  /** The host of a request is believed: a name that points here by somebody else's doing would be as good. */
  readonly self: boolean;

  constructor(patterns: readonly string[]) {
    const written = patterns.map(asBrowsersWrite);
    this.any = written.includes('*');
    this.self = written.includes('self');
    this.#exact = new Set(written.filter((pattern) => !pattern.includes('*') && pattern !== 'self'));
    this.#below = written
      .filter((pattern) => pattern.includes('//*.'))
      .map((pattern) => ({
        start: pattern.slice(0, pattern.indexOf('*')),
        end: pattern.slice(pattern.indexOf('*') + 1),
      }));
  }

  /** `host` is where the client thinks it is, as its request says: a name, with a port or the usual one. */
  allow(origin: string, host?: string): boolean {
    if (this.any || this.#exact.has(origin)) return true;
    if (this.self && host !== undefined && isOfHost(origin, host)) return true;
    return this.#below.some(
      ({ start, end }) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(origin.slice(start.length, -end.length)),
    );
  }
}

/** In small letters, without the port that the scheme implies, IPv6 addresses in their shortest form (RFC 5952). */
function asBrowsersWrite(pattern: string): string {
  const lower = pattern.toLowerCase();
  const [, scheme = '', place = ''] = ORIGIN.exec(lower) ?? [];
  if (place === '') return lower;
  const host = place.startsWith('[') ? (URL.parse(`ws://${place}`)?.host ?? place) : place;
  return `${scheme}://${withoutPort(host, scheme)}`;
}

function withoutPort(host: string, scheme: string): string {
  const port = DEFAULT_PORTS[scheme];
  return port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/**
 * Whether a page comes from the host that its request names. The scheme does not matter: a proxy may have taken TLS
 * off. But the usual port is that of the origin's scheme.
 */
export function isOfHost(origin: string, host: string): boolean {
  const [, scheme = '', place = ''] = ORIGIN.exec(origin.toLowerCase()) ?? [];
  return place !== '' && withoutPort(place, scheme) === withoutPort(host.toLowerCase(), scheme);
}
