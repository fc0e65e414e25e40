import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readNetworks } from './http/networks.ts';
import type { TrustedProxies } from './core/base/trusted-proxies.ts';
import { readRule } from './protocol/rule.ts';

/** What a setting may hold: how it is read, and in words what is allowed. `read` gives undefined for what is not. */
export interface Kind<T> {
  readonly allowed: string;
  /** Left out of what is printed when the value is wrong; absent: where it has an @, which may end a login. */
  readonly secret?: boolean;
  /**
   * For whoever checks a value without running this, as the chart does: a regular expression, in what JavaScript and
   * RE2 share, that matches every value `read` takes, and bounds of the number. It may match more.
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

/** Comma-separated, blanks around each left out. */
export const secrets: Kind<readonly string[]> = {
  allowed: 'texts separated by commas, kept secret',
  secret: true,
  read: (value) => nonEmpty(split(value)),
};

export const origins: Kind<readonly string[]> = {
  allowed:
    '*, or origins separated by commas such as https://app.example.com, https://*.example.com or http://[::1]:8080; self for the host that a request names; null',
  pattern: String.raw`^[\s,]*((\*|self|null|(?i:[a-z][a-z0-9+.-]*://((\*\.)?[a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?))[\s,]*)+$`,
  read: (value) => allOf(split(value), (one) => ['*', 'self', 'null'].includes(one) || isOrigin(one)),
};

export const rules: Kind<readonly string[]> = {
  allowed: 'rules separated by commas such as join:*,publish:lobby (docs/protocol.md, Permissions)',
  secret: false,
  read: (value) => allOf(split(value), (one) => readRule(one) !== undefined),
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
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  read: (value) => (/^[A-Za-z0-9_-]{1,64}$/.test(value) ? value : undefined),
};

/** Put before names in Redis; a blank or a brace in one would mean something there. */
export const keyPrefix: Kind<string> = {
  allowed: 'letters, digits and - _ . : at most 64',
  pattern: '^[A-Za-z0-9_.:-]{1,64}$',
  read: (value) => (/^[A-Za-z0-9_.:-]{1,64}$/.test(value) ? value : undefined),
};

/** 0 lets the system choose. */
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

/** Paths without a slash at the end, at least one. */
export const wsPaths: Kind<readonly string[]> = {
  allowed: 'paths such as /ws,/live, each of letters, digits and - _ . ~',
  pattern: String.raw`^\s*(/[A-Za-z0-9_.~-]+)+\s*(,\s*(/[A-Za-z0-9_.~-]+)+\s*)*$`,
  read(value) {
    const paths = value.split(',').map((path) => path.trim());
    return allOf(paths, (path) => /^(\/[A-Za-z0-9_.~-]+)+$/.test(path));
  },
};
