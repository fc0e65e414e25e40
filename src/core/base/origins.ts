/** The port that a scheme implies. It includes ws: some clients send the address they connect to as their origin. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = {
  http: ':80',
  ws: ':80',
  https: ':443',
  wss: ':443',
};
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@\s]+)$/;

/**
 * The pages that may connect: exact origins (`https://app.example.com`, IPv6 addresses included), or all origins below
 * a domain (`https://*.example.com`, one or more labels). `*` is any origin, `self` the host that the request itself
 * names, and `null` a page without an origin of its own. Scheme and port must be equal. One list serves the upgrade and
 * CORS.
 */
export class Origins {
  readonly #exact: ReadonlySet<string>;
  readonly #below: readonly { readonly start: string; readonly end: string }[];
  readonly any: boolean;
  /** Believes the Host header: a name that an attacker points at this pod would be accepted, too. */
  readonly self: boolean;
  readonly #withCookies: boolean;

  /** `withCookies`: the cookies of pages are passed on and may authenticate them, so `self` needs https or loopback. */
  constructor(patterns: readonly string[], { withCookies = false } = {}) {
    this.#withCookies = withCookies;
    const written = patterns.map(normalized);
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

  /** `host` is the host that the client believes it connected to, with a port unless it is the default. */
  allow(origin: string, host?: string): boolean {
    if (this.any || this.#isListed(origin)) return true;
    if (!this.self || host === undefined || !isOfHost(origin, host)) return false;
    return !this.#withCookies || isSecure(origin);
  }

  /**
   * Whether a page may send its cookies with a request and read the answer (CORS): only if the list names its origin,
   * because `self` believes the Host header.
   */
  allowsCredentials(origin: string): boolean {
    return this.#withCookies && origin !== 'null' && this.#isListed(origin);
  }

  #isListed(origin: string): boolean {
    if (this.#exact.has(origin)) return true;
    return this.#below.some(
      ({ start, end }) =>
        origin.startsWith(start) &&
        origin.endsWith(end) &&
        /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(origin.slice(start.length, -end.length)),
    );
  }
}

/**
 * As browsers write origins: lower case, without the default port, IPv6 addresses in their shortest form (RFC 5952).
 */
function normalized(pattern: string): string {
  const lower = pattern.toLowerCase();
  const [, scheme = '', place = ''] = ORIGIN.exec(lower) ?? [];
  if (place === '') return lower;
  return `${scheme}://${withoutPort(shortest(place), scheme)}`;
}

/** A host whose IPv6 address, if it is one, has its shortest form. */
function shortest(place: string): string {
  if (!place.startsWith('[')) return place;
  const port = /:\d+$/.exec(place)?.[0] ?? '';
  const host = URL.parse(`ws://${place}`)?.hostname;
  return host === undefined ? place : `${host}${port}`;
}

function withoutPort(host: string, scheme: string): string {
  const port = DEFAULT_PORTS[scheme];
  return port !== undefined && host.endsWith(port) ? host.slice(0, -port.length) : host;
}

/**
 * Whether a page comes from the host that its request names. The scheme does not matter, since a proxy may have
 * terminated TLS; the default port is that of the origin's scheme.
 */
export function isOfHost(origin: string, host: string): boolean {
  const [, scheme = '', place = ''] = ORIGIN.exec(origin.toLowerCase()) ?? [];
  const normal = (one: string): string => withoutPort(shortest(one.toLowerCase()), scheme);
  return place !== '' && normal(place) === normal(host);
}

/** Nobody between the browser and the server can have made this page: it came over TLS, or from this machine. */
function isSecure(origin: string): boolean {
  const url = URL.parse(origin);
  if (url === null) return false;
  // Browsers write IPv4 addresses in their usual form.
  const isLoopback = /^(.+\.)?localhost$|^127\.\d+\.\d+\.\d+$|^\[::1\]$/.test(url.hostname);
  return isLoopback || ['https:', 'wss:'].includes(url.protocol);
}
