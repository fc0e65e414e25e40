import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readNetworks } from './http/networks.ts';
import type { TrustedProxies } from './core/base/trusted-proxies.ts';
import { isPersonalRoom } from './core/base/personal-room.ts';
import { readRule } from './protocol/rule.ts';
import { TOKEN_ALGORITHMS } from './core/base/token-algorithms.ts';

/**
 * What a setting may hold: `read` parses a value and returns undefined for a wrong one; `allowed` describes the right
 * ones.
 */
export interface Kind<T> {
  readonly allowed: string;
  /** Whether a wrong value is left out of the error. Absent: only if it contains an @, which may end a login. */
  readonly secret?: boolean;
  /**
   * Lets the chart check a value without running this code: a regular expression in the common syntax of JavaScript
   * and RE2, and bounds of the number. It must match every value that `read` accepts; it may match more.
   */
  readonly pattern?: string;
  readonly bounds?: readonly [least: number, most: number];
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
  pattern: '^(?i:true|false)$',
  read: (value) => ({ true: true, false: false })[value.toLowerCase()],
};

export const trustedProxies: Kind<TrustedProxies> = {
  allowed:
    'true, false, a number of proxies up to 99, or networks separated by commas such as 10.0.0.0/8,fd00::/8',
  pattern: String.raw`^((?i:true|false)|\d{1,2}|.*[.:].*)$`,
  read(value) {
    if (/^\d{1,2}$/.test(value)) return Number(value);
    const networks = nonEmpty(split(value));
    return flag.read(value) ?? (networks && readNetworks(networks));
  },
};

/** Comma-separated; blanks around each text are removed. */
export const secrets: Kind<readonly string[]> = {
  allowed: 'texts separated by commas, kept secret',
  secret: true,
  read: (value) => nonEmpty(split(value)),
};

export const origins: Kind<readonly string[]> = {
  allowed:
    '*, or origins separated by commas such as https://app.example.com, https://*.example.com or http://[::1]:8080; self for the host that the request names; null',
  pattern: String.raw`^[\s,]*((\*|self|null|(?i:[a-z][a-z0-9+.-]*://((\*\.)?[a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?))[\s,]*)+$`,
  read: (value) => allOf(split(value), (one) => ['*', 'self', 'null'].includes(one) || isOrigin(one)),
};

export const rules: Kind<readonly string[]> = {
  allowed: 'rules separated by commas such as join:*,publish:lobby (docs/protocol.md, Permissions)',
  secret: false,
  read: (value) => allOf(split(value), (one) => readRule(one) !== undefined),
};

export const algorithms: Kind<readonly string[]> = {
  allowed: `names separated by commas: ${TOKEN_ALGORITHMS.join(', ')}`,
  pattern: String.raw`^[\s,]*((${TOKEN_ALGORITHMS.join('|')})\s*(,[\s,]*|$))+$`,
  read: (value) => allOf(split(value), (one) => TOKEN_ALGORITHMS.includes(one)),
};

/** The parsed content of a file of public keys (RFC 7517 section 5). */
export interface KeySet {
  readonly keys: readonly { readonly kty: string; readonly crv?: string }[];
}

/** The value is the parsed file: the file is read only once. */
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

/** The value is the content of the file. */
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

export function split(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

export function nonEmpty<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

function allOf(
  values: readonly string[],
  isAllowed: (one: string) => boolean,
): readonly string[] | undefined {
  return values.every(isAllowed) ? nonEmpty(values) : undefined;
}

/** The value is the content of the file. */
export const credentialsFile: Kind<string> = {
  allowed: 'path of a readable NATS credentials file (.creds)',
  read(value) {
    try {
      const content = readFileSync(value, 'utf8');
      return /BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/.test(content) ? content : undefined;
    } catch {
      return undefined;
    }
  },
};

/** Part of stream names, and a token of subjects. */
export const natsPrefix: Kind<string> = {
  allowed: 'at most 64 characters of letters, digits, - and _',
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  read: (value) => (/^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : undefined),
};

/** Prefix of names in Redis. A brace would change the hash tag, and a blank the syntax of an ACL. */
export const keyPrefix: Kind<string> = {
  allowed: 'at most 64 characters of letters, digits, - _ . and :',
  pattern: '^[A-Za-z0-9_.:-]{1,64}$',
  read: (value) => (/^[A-Za-z0-9_.:-]{1,64}$/.test(value) ? value : undefined),
};

/** 0: the system chooses a free port. */
export const port: Kind<number> = { ...count(0, 65_535), allowed: 'a port, 0 to 65535' };

export function count(least: number, most: number): Kind<number> {
  return {
    allowed: `a whole number from ${least} to ${most}`,
    pattern: String.raw`^\d{1,15}$`,
    bounds: [least, most],
    read(value) {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

export function milliseconds(least: number, most: number): Kind<number> {
  return { ...count(least, most), allowed: `whole milliseconds from ${least} to ${most}` };
}

export function seconds(least: number, most: number): Kind<number> {
  return { ...count(least, most), allowed: `whole seconds from ${least} to ${most}` };
}

export function oneOf<T extends string>(...names: readonly T[]): Kind<T> {
  return {
    allowed: names.join(', '),
    pattern: `^(${names.join('|')})$`,
    read: (value) => names.find((name) => name === value),
  };
}

const BACKEND_EVENTS = ['connect', 'join', 'publish', 'leave', 'call'] as const;

/** Each once. */
export const backendEvents: Kind<readonly (typeof BACKEND_EVENTS)[number][]> = {
  allowed: `${BACKEND_EVENTS.join(', ')}, separated by commas`,
  pattern: String.raw`^[\s,]*((${BACKEND_EVENTS.join('|')})[\s,]*)+$`,
  read(value) {
    const given = new Set(split(value));
    const known = BACKEND_EVENTS.filter((event) => given.has(event));
    return known.length === given.size ? nonEmpty(known) : undefined;
  },
};

/** In lower case. */
export const headerNames: Kind<readonly string[]> = {
  allowed: 'names of headers separated by commas such as cookie,authorization',
  pattern: String.raw`^[\s,]*([A-Za-z0-9_-]+\s*(,[\s,]*|$))+$`,
  read: (value) =>
    allOf(
      split(value).map((name) => name.toLowerCase()),
      (name) => /^[a-z0-9_-]+$/.test(name),
    ),
};

/** Not `{user}` alone: every room would be the room of a user. */
export const personalRoom: Kind<string> = {
  allowed: 'a room name with one {user} in it, and something before or after it, such as user-{user}',
  pattern: String.raw`^([A-Za-z0-9][A-Za-z0-9_.:@-]*\{user\}[A-Za-z0-9_.:@-]*|\{user\}[A-Za-z0-9_.:@-]+)$`,
  read: (value) => (isPersonalRoom(value) ? value : undefined),
};

/** At least one path, each without a trailing slash. */
export const wsPaths: Kind<readonly string[]> = {
  allowed: 'paths such as /ws,/live of letters, digits and - _ . ~',
  pattern: String.raw`^\s*(/[A-Za-z0-9_.~-]+)+\s*(,\s*(/[A-Za-z0-9_.~-]+)+\s*)*$`,
  read(value) {
    const paths = value.split(',').map((path) => path.trim());
    return allOf(paths, (path) => /^(\/[A-Za-z0-9_.~-]+)+$/.test(path));
  },
};
