import { type Kind, nonEmpty, split } from './setting-kinds.ts';
import { readHttpAddress } from './core/base/http-address.ts';
import type { HostPort } from './engines/redis/connection/options.ts';

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const NATS_PORT = 4222;

/** A query is allowed in an HTTP URL, unless it follows the host and contains the @ that ends a login. */
const MISREAD_HTTP = /[#\p{Cc}]|^[^/]*\/\/[^/]*\?.*@/u;

/** May hold a password, so a wrong value is not printed. */
export const httpUrl: Kind<string> = {
  allowed: 'an http or https URL',
  secret: true,
  pattern: String.raw`^\s*(?i:https?):`,
  read(value) {
    return readHttpAddress(value) && !MISREAD_HTTP.test(value) ? value : undefined;
  },
};

/**
 * Null for a text that is not a URL or would be misread. A `#` or `?` in a password would end the host there, so part
 * of the password would be looked up and logged; the URL parser removes tabs and line breaks. No engine uses queries.
 */
function readUrl(text: string): URL | null {
  return /[?#\p{Cc}]/u.test(text) ? null : URL.parse(text);
}

/** A host, with an optional port. */
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/;

function readHostPort(text: string, usual: number): HostPort | undefined {
  const [whole, bracketed, plain, digits] = HOST_PORT.exec(text) ?? [];
  const port = digits === undefined ? usual : Number(digits);
  if (whole === undefined || port < 1 || port > 65_535) return undefined;
  return { host: bracketed ?? plain ?? '', port };
}

/** A Redis server and the login in its URL. */
export interface RedisUrl {
  readonly server: HostPort;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number | undefined;
}

/** May hold a password, so a wrong value is not printed. */
export const redisUrl: Kind<RedisUrl> = {
  allowed:
    'redis://[user:password@]host[:port][/db], the same with rediss:// for TLS, or host:port; in a password write # ? / % as %23 %3F %2F %25',
  secret: true,
  read(value) {
    if (!value.includes('://')) {
      const server = readHostPort(value, REDIS_PORT);
      return server && { server, tls: false, username: undefined, password: undefined, db: undefined };
    }
    const url = readUrl(value);
    const server = url === null ? undefined : readHostPort(url.host, REDIS_PORT);
    const db = /^\/?(\d{0,6})$/.exec(url?.pathname ?? '')?.[1];
    if (url === null || server === undefined || db === undefined) return undefined;
    if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return undefined;
    return {
      server,
      tls: url.protocol === 'rediss:',
      username: decoded(url.username),
      password: decoded(url.password),
      db: db === '' ? undefined : Number(db),
    };
  },
};

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part) || undefined;
  } catch {
    return part;
  }
}

export const hostPorts: Kind<readonly HostPort[]> = {
  allowed: 'host:port,…',
  read(value) {
    const all = split(value).map((one) => readHostPort(one, SENTINEL_PORT));
    return all.every((one) => one !== undefined) ? nonEmpty(all) : undefined;
  },
};

/** Servers of one cluster and the login in their URLs. */
export interface NatsUrls {
  readonly servers: readonly HostPort[];
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** May hold a password, so a wrong value is not printed. */
export const natsUrls: Kind<NatsUrls> = {
  allowed:
    'nats://[user:password@]host[:port], or tls://, several separated by commas if they differ only in host and port; in a password write # ? / % , as %23 %3F %2F %25 %2C',
  secret: true,
  read(value) {
    const all = split(value).map(readNatsUrl);
    const [first] = all;
    if (first === undefined || !all.every((one) => one !== undefined)) return undefined;
    const { tls, user, password } = first;
    const isAlike = all.every((one) => one.tls === tls && one.user === user && one.password === password);
    return isAlike ? { tls, user, password, servers: all.flatMap(({ servers }) => servers) } : undefined;
  },
};

function readNatsUrl(text: string): NatsUrls | undefined {
  const url = readUrl(text);
  const server = url === null ? undefined : readHostPort(url.host, NATS_PORT);
  if (url === null || server === undefined || !/^\/?$/.test(url.pathname)) return undefined;
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') return undefined;
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if ((user === undefined) !== (password === undefined)) return undefined;
  return { servers: [server], tls: url.protocol === 'tls:', user, password };
}
