/** What a script is told by its environment; durations in seconds. */
export interface Settings {
  readonly baseUrl: string;
  readonly wsPath: string;
  readonly run: string | undefined;
  readonly vus: number;
  readonly rooms: number;
  readonly rate: number;
  readonly duration: number;
  readonly join: number;
  readonly settle: number;
  readonly minPods: number;
  readonly stickyCookie: string | undefined;
  readonly latencyMs: number;
  readonly recoveryMs: number;
  readonly token: string | undefined;
  readonly jwtSecret: string | undefined;
  readonly jwtIssuer: string | undefined;
  readonly jwtAudience: string | undefined;
  readonly apiKey: string | undefined;
  readonly opsUrls: readonly string[];
  readonly drainUrl: string | undefined;
  readonly connections: number;
  readonly cap: number | undefined;
  readonly connectRate: number;
  readonly connectionBytes: number;
  readonly every: number;
  readonly memorySlope: number;
  readonly latencySlope: number;
  readonly summary: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What holds where the environment says nothing; as text, as the environment would say it. */
export type Defaults = Readonly<Partial<Record<Name, string>>>;

type Read = (text: string) => unknown;

interface Kind {
  /** Undefined where the text is none of this kind. */
  readonly read: Read;
  readonly allowed: string;
  readonly isSecret?: boolean;
}

const url: Kind = {
  read: (text) => (/^https?:\/\/[^\s/?#]+[^\s?#]*$/.test(text) ? text.replace(/\/+$/, '') : undefined),
  allowed: 'an http or https URL',
};

const urls: Kind = {
  read(text) {
    const all = text.split(',').map((one) => url.read(one.trim()));
    return all.includes(undefined) ? undefined : all;
  },
  allowed: 'http or https URLs separated by commas',
};

const text: Kind = { read: (value) => value, allowed: 'any text' };
const secret: Kind = { ...text, isSecret: true };

const path: Kind = {
  read: (value) => (/^(\/[\w.~-]+)+$/.test(value) ? value : undefined),
  allowed: 'a path such as /ws',
};

const name: Kind = {
  read: (value) => (/^[A-Za-z0-9][\w-]{0,31}$/.test(value) ? value : undefined),
  allowed: 'at most 32 letters, digits, - and _',
};

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600 };

const span: Kind = {
  read(value) {
    const [, number, unit = ''] = /^(\d{1,6})([smh]?)$/.exec(value) ?? [];
    const seconds = Number(number) * (UNITS[unit] ?? Number.NaN);
    return seconds > 0 ? seconds : undefined;
  },
  allowed: 'a time such as 30s, 5m or 1h',
};

function whole(from: number, to: number): Kind {
  const read: Read = (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= from && number <= to ? number : undefined;
  };
  return { read, allowed: `a whole number from ${from} to ${to}` };
}

function number(to: number): Kind {
  const read: Read = (value) => {
    const found = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN;
    return found > 0 && found <= to ? found : undefined;
  };
  return { read, allowed: `a number above 0, at most ${to}` };
}

const KINDS = {
  BASE_URL: url,
  WS_PATH: path,
  RUN: name,
  VUS: whole(1, 100_000),
  ROOMS: whole(1, 100_000),
  RATE: number(1_000),
  DURATION: span,
  JOIN: span,
  SETTLE: span,
  MIN_PODS: whole(1, 100),
  STICKY_COOKIE: text,
  LATENCY_MS: whole(1, 600_000),
  RECOVERY_MS: whole(1, 600_000),
  TOKEN: secret,
  JWT_SECRET: secret,
  JWT_ISSUER: text,
  JWT_AUDIENCE: text,
  API_KEY: secret,
  OPS_URLS: urls,
  DRAIN_URL: url,
  CONNECTIONS: whole(1, 1_000_000),
  CAP: whole(1, 1_000_000),
  CONNECT_RATE: number(100_000),
  CONNECTION_BYTES: whole(1, 999_999_999),
  EVERY: span,
  MEMORY_SLOPE: number(1_000_000),
  LATENCY_SLOPE: number(1_000_000),
  SUMMARY: text,
} as const satisfies Readonly<Record<string, Kind>>;

type Name = keyof typeof KINDS;

/** The names of all settings. */
export const SETTING_NAMES = Object.keys(KINDS) as Name[];

const DEFAULTS: Defaults = {
  BASE_URL: 'http://127.0.0.1:8080',
  WS_PATH: '/ws',
  VUS: '50',
  ROOMS: '5',
  RATE: '1',
  DURATION: '30s',
  JOIN: '5s',
  SETTLE: '10s',
  MIN_PODS: '1',
  LATENCY_MS: '500',
  RECOVERY_MS: '15000',
  CONNECTIONS: '1000',
  CONNECT_RATE: '100',
  CONNECTION_BYTES: '100000',
  EVERY: '10s',
  MEMORY_SLOPE: '20',
  LATENCY_SLOPE: '20',
};

/** Reads all settings. Throws one error that names everything that is wrong. An empty setting is an absent one. */
export function readSettings(environment: Environment, defaults: Defaults = {}): Settings {
  const faults: string[] = [];
  const found = new Map<Name, unknown>();
  for (const name of SETTING_NAMES) {
    const given = environment[name]?.trim() || (defaults[name] ?? DEFAULTS[name]);
    if (given === undefined) continue;
    const kind: Kind = KINDS[name];
    const value = kind.read(given);
    if (value !== undefined) found.set(name, value);
    else faults.push(`${name} is ${kind.isSecret ? 'set' : `“${given}”`}, but must be ${kind.allowed}`);
  }
  const settings = assemble(found);
  if (faults.length === 0) faults.push(...contradictions(settings));
  if (faults.length > 0) throw new Error(`bad settings:\n- ${faults.join('\n- ')}`);
  return settings;
}

function assemble(found: ReadonlyMap<Name, unknown>): Settings {
  // Each kind reads what its setting holds.
  const the = (name: Name): never => found.get(name) as never;
  return {
    baseUrl: the('BASE_URL'),
    wsPath: the('WS_PATH'),
    run: the('RUN'),
    vus: the('VUS'),
    rooms: the('ROOMS'),
    rate: the('RATE'),
    duration: the('DURATION'),
    join: the('JOIN'),
    settle: the('SETTLE'),
    minPods: the('MIN_PODS'),
    stickyCookie: the('STICKY_COOKIE'),
    latencyMs: the('LATENCY_MS'),
    recoveryMs: the('RECOVERY_MS'),
    token: the('TOKEN'),
    jwtSecret: the('JWT_SECRET'),
    jwtIssuer: the('JWT_ISSUER'),
    jwtAudience: the('JWT_AUDIENCE'),
    apiKey: the('API_KEY'),
    opsUrls: found.has('OPS_URLS') ? the('OPS_URLS') : [],
    drainUrl: the('DRAIN_URL'),
    connections: the('CONNECTIONS'),
    cap: the('CAP'),
    connectRate: the('CONNECT_RATE'),
    connectionBytes: the('CONNECTION_BYTES'),
    every: the('EVERY'),
    memorySlope: the('MEMORY_SLOPE'),
    latencySlope: the('LATENCY_SLOPE'),
    summary: the('SUMMARY'),
  };
}

function contradictions({ token, jwtSecret, vus, rooms, minPods, cap, connections }: Settings): string[] {
  const faults: string[] = [];
  if (token !== undefined && jwtSecret !== undefined)
    faults.push('TOKEN and JWT_SECRET are both set: give one');
  if (rooms > vus) faults.push(`ROOMS is ${rooms}, but must not be more than VUS, which is ${vus}`);
  if (minPods > vus) faults.push(`MIN_PODS is ${minPods}, but must not be more than VUS, which is ${vus}`);
  if (cap !== undefined && cap >= connections)
    faults.push(`CONNECTIONS is ${connections}, but must be more than CAP, which is ${cap}`);
  return faults;
}
