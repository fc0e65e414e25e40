import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { HostPort } from './redis/options.ts';
import { readNetworks } from './http/networks.ts';
import type { TrustedProxies } from './core/trusted-proxies.ts';
import { readRule } from './protocol/rule.ts';

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const NATS_PORT = 4222;

/** What a setting may hold: how it is read, and in words what is allowed. `read` gives undefined for what is not. */
export interface Kind<T> {
  readonly allowed: string;
  /** Left out of what is printed when the value is wrong. */
  readonly secret?: boolean;
  read(value: string): T | undefined;
}

export const text: Kind<string> = { allowed: 'any text', read: (value) => value };

export const secret: Kind<string> = {
  allowed: 'any text, kept secret',
  secret: true,
  read: (value) => value,
};

export const flag: Kind<boolean> = {
  allowed: 'true, false',
  read: (value) => ({ true: true, false: false })[value.toLowerCase()],
};

export const trustedProxies: Kind<TrustedProxies> = {
  allowed:
    'true, false, a number of proxies up to 99, or networks separated by commas such as 10.0.0.0/8,fd00::/8',
  read(value) {
    if (/^\d{1,2}$/.test(value)) return Number(value);
    const networks = nonEmpty(split(value));
    return flag.read(value) ?? (networks && readNetworks(networks));
  },
};

/** Comma-separated, blanks around each left out. */
export const secrets: Kind<readonly string[]> = {
  allowed: 'texts separated by commas, kept secret',
  secret: true,
  read: (value) => nonEmpty(split(value)),
};

export const origins: Kind<readonly string[]> = {
  allowed:
    '*, or origins separated by commas such as https://app.example.com, https://*.example.com or http://[::1]:8080; self for the host that a request names; null',
  read: (value) => allOf(split(value), (one) => ['*', 'self', 'null'].includes(one) || isOrigin(one)),
};

export const rules: Kind<readonly string[]> = {
  allowed: 'rules separated by commas such as join:*,publish:lobby (docs/protocol.md, Permissions)',
  read: (value) => allOf(split(value), (one) => readRule(one) !== undefined),
};

/** May hold a password, so that a wrong one is not printed. */
export const httpUrl: Kind<string> = {
  allowed: 'an http or https URL',
  secret: true,
  read: (value) => (/^https?:$/.test(URL.parse(value)?.protocol ?? '') ? value : undefined),
};

/** The parsed content of a file of public keys (RFC 7517 section 5). */
export interface KeySet {
  readonly keys: readonly { readonly kty: string }[];
}

/** The value is what is in the file, so that nobody reads it again. */
export const keySetFile: Kind<KeySet> = {
  allowed: 'path of a readable file {"keys":[…]} (RFC 7517 section 5)',
  read(value) {
    try {
      const content: unknown = JSON.parse(readFileSync(value, 'utf8'));
      return isKeySet(content) ? content : undefined;
    } catch {
      return undefined;
    }
  },
};

/** The value is what is in the file, as with `keySetFile`. */
export const certificatesFile: Kind<string> = {
  allowed: 'path of a readable PEM file of certificates',
  read(value) {
    try {
      const content = readFileSync(value, 'utf8');
      return new X509Certificate(content).raw.length > 0 ? content : undefined;
    } catch {
      return undefined;
    }
  },
};

function isKeySet(value: unknown): value is KeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys))
    return false;
  return value.keys.every((key: unknown) => typeof key === 'object' && key !== null && 'kty' in key);
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/((\*\.)?[A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && URL.canParse(text.replace('*.', 'any.'));
}

function split(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function nonEmpty<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

function allOf(
  values: readonly string[],
  isAllowed: (one: string) => boolean,
): readonly string[] | undefined {
  return values.every(isAllowed) ? nonEmpty(values) : undefined;
}

/** A host, with a port or the usual one. */
const HOST_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?$/;

function readHostPort(text: string, usual: number): HostPort | undefined {
  const [whole, bracketed, plain, digits] = HOST_PORT.exec(text) ?? [];
  const port = digits === undefined ? usual : Number(digits);
  if (whole === undefined || port < 1 || port > 65_535) return undefined;
  return { host: bracketed ?? plain ?? '', port };
}

/** A Redis server, and what its URL says of who comes. */
export interface RedisUrl {
  readonly server: HostPort;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number | undefined;
}

/** May hold a password, so that a wrong one is not printed. */
export const redisUrl: Kind<RedisUrl> = {
  allowed: 'redis://[user:password@]host[:port][/db], the same with rediss:// for TLS, or host:port',
  secret: true,
  read(value) {
    if (!value.includes('://')) {
      const server = readHostPort(value, REDIS_PORT);
      return server && { server, tls: false, username: undefined, password: undefined, db: undefined };
    }
    const url = URL.parse(value);
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

/** Servers of one cluster, and what their URLs say of who comes. */
export interface NatsUrls {
  readonly servers: readonly HostPort[];
  readonly tls: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** May hold a password, so that a wrong one is not printed. */
export const natsUrls: Kind<NatsUrls> = {
  allowed:
    'nats://[user:password@]host[:port], or tls://, more of them separated by commas and alike but for the host',
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
  const url = URL.parse(text);
  const server = url === null ? undefined : readHostPort(url.host, NATS_PORT);
  if (url === null || server === undefined || !/^\/?$/.test(url.pathname)) return undefined;
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') return undefined;
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if ((user === undefined) !== (password === undefined)) return undefined;
  return { servers: [server], tls: url.protocol === 'tls:', user, password };
}

/** The value is what is in the file, as with `keySetFile`. */
export const credentialsFile: Kind<string> = {
  allowed: 'path of a readable .creds file of NATS',
  read(value) {
    try {
      const content = readFileSync(value, 'utf8');
      return /BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/.test(content) ? content : undefined;
    } catch {
      return undefined;
    }
  },
};

/** Part of names of streams, and a token of subjects. */
export const natsPrefix: Kind<string> = {
  allowed: 'letters, digits and - _ at most 64',
  read: (value) => (/^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : undefined),
};

/** Put before names in Redis; a blank or a brace in one would mean something there. */
export const keyPrefix: Kind<string> = {
  allowed: 'letters, digits and - _ . : at most 64',
  read: (value) => (/^[A-Za-z0-9_.:-]{1,64}$/.test(value) ? value : undefined),
};

/** 0 lets the system choose. */
export const port: Kind<number> = { ...count(0, 65_535), allowed: 'a port, 0 to 65535' };

export function count(least: number, most: number): Kind<number> {
  return {
    allowed: `a whole number from ${least} to ${most}`,
    read(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

export function seconds(least: number, most: number): Kind<number> {
  return { ...count(least, most), allowed: `whole seconds from ${least} to ${most}` };
}

export function oneOf<T extends string>(...names: readonly T[]): Kind<T> {
  return { allowed: names.join(', '), read: (value) => names.find((name) => name === value) };
}

/** Paths without a slash at the end, at least one. */
export const wsPaths: Kind<readonly string[]> = {
  allowed: 'paths such as /ws,/live, each of letters, digits and - _ . ~',
  read(value) {
    const paths = value.split(',').map((path) => path.trim());
    return allOf(paths, (path) => /^(\/[A-Za-z0-9_.~-]+)+$/.test(path));
  },
};
