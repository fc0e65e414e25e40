import type { NatsAddress } from './engines/nats/connection/options.ts';
import type { RedisAddress } from './engines/redis/connection/options.ts';
import { givenOf } from './setting-files.ts';
import { backendNames, checkBackend, checkIdentity, hasKeys, passesCookies } from './setting-identity.ts';
import { printable, problem } from './setting-problems.ts';
import { SETTINGS, type Setting, type Values } from './settings.ts';

/** The configuration of a pod, frozen. Durations are in seconds, sizes in bytes, as in the settings. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** The engine. With neither Redis nor NATS, messages stay on this pod. */
  readonly redis: RedisAddress | undefined;
  readonly nats: NatsAddress | undefined;
  /** Whether clients need a token. */
  readonly auth: boolean;
  /** Whether this pod can check tokens; false while only the backend names users. */
  readonly checksTokens: boolean;
  /** Whether the backend gets the cookies of pages. */
  readonly passesCookies: boolean;
  readonly allowedOrigins: readonly string[];
  readonly values: Values;
}

/** All invalid settings at once, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the settings; an empty variable counts as unset. Raises ConfigError. */
export function loadConfig(env: Env): Config {
  const problems: string[] = [];
  const entries = Object.entries(SETTINGS).map(([name, one]) => [name, valueOf(name, one, env, problems)]);
  // Invalid values are undefined here, against their type. They are never used, because a ConfigError follows.
  const values = Object.freeze(Object.fromEntries(entries)) as Values;
  const address = addressOf(values, problems);
  const auth = values.AUTH_ENABLED ?? (hasKeys(values) || backendNames(values));
  const allowedOrigins = values.ALLOWED_ORIGINS ?? values.CORS_ALLOWED_ORIGINS ?? ['*'];
  checkTogether(values, address.port, problems);
  checkPresence(values, problems);
  checkDrain(values, problems);
  const engine = engineOf(values, problems);
  const redis = engine === 'redis' ? redisOf(values, problems) : undefined;
  const nats = engine === 'nats' ? natsOf(values, problems) : undefined;
  checkIdentity(values, auth, problems);
  checkBackend(values, allowedOrigins, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze({
    ...address,
    auth,
    redis,
    nats,
    checksTokens: hasKeys(values),
    passesCookies: passesCookies(values),
    allowedOrigins,
    values,
  });
}

function valueOf(name: string, { kind, fallback }: Setting<unknown>, env: Env, problems: string[]): unknown {
  const { text = fallback, name: where } = givenOf(name, kind, env, problems);
  if (text === undefined) return undefined;
  const value = kind.read(text);
  if (value === undefined) problems.push(problem(where, printable(text, kind.secret), kind.allowed));
  return value;
}

function addressOf(values: Values, problems: string[]): { host: string; port: number } {
  const given = values.SERVER_ADDR;
  if (given === undefined) return { host: values.HOST, port: values.PORT };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s@/]*)):(\d{1,5})$/.exec(given) ?? [];
  const port = SETTINGS.PORT.kind.read(digits ?? '');
  if (port === undefined)
    problems.push(problem('SERVER_ADDR', printable(given), ':port, host:port or [ipv6]:port'));
  return { host: bracketed || plain || values.HOST, port: port ?? 0 };
}

/** All three durations count from SIGTERM. */
function checkDrain(values: Partial<Values>, problems: string[]): void {
  const { DRAIN_DELAY_SECONDS = 0, DRAIN_WINDOW_SECONDS = 0, SHUTDOWN_TIMEOUT_SECONDS = Infinity } = values;
  const drained = DRAIN_DELAY_SECONDS + DRAIN_WINDOW_SECONDS;
  if (drained < SHUTDOWN_TIMEOUT_SECONDS) return;
  const allowed = `more than DRAIN_DELAY_SECONDS (${DRAIN_DELAY_SECONDS}) and DRAIN_WINDOW_SECONDS (${DRAIN_WINDOW_SECONDS}) together`;
  problems.push(problem('SHUTDOWN_TIMEOUT_SECONDS', String(SHUTDOWN_TIMEOUT_SECONDS), allowed));
}

/** Settings that are valid each by itself but not together. Settings that are invalid by themselves are skipped. */
function checkTogether(values: Partial<Values>, port: number | undefined, problems: string[]): void {
  const { OPS_PORT, HEARTBEAT_SECONDS = 0, HEARTBEAT_TIMEOUT_SECONDS = Infinity } = values;
  if (port !== undefined && port !== 0 && port === OPS_PORT) {
    problems.push(problem('OPS_PORT', String(OPS_PORT), 'another port than the one where clients connect'));
  }
  if (HEARTBEAT_TIMEOUT_SECONDS <= HEARTBEAT_SECONDS) {
    const allowed = `more than HEARTBEAT_SECONDS (${HEARTBEAT_SECONDS})`;
    problems.push(problem('HEARTBEAT_TIMEOUT_SECONDS', String(HEARTBEAT_TIMEOUT_SECONDS), allowed));
  }
}

function checkPresence(values: Partial<Values>, problems: string[]): void {
  const { PRESENCE_TTL_SECONDS = Infinity, POD_LEASE_SECONDS = 0 } = values;
  if (PRESENCE_TTL_SECONDS > POD_LEASE_SECONDS) return;
  const allowed = `more than POD_LEASE_SECONDS (${POD_LEASE_SECONDS})`;
  problems.push(problem('PRESENCE_TTL_SECONDS', String(PRESENCE_TTL_SECONDS), allowed));
}

function namesRedis({ REDIS_URL, REDIS_ADDR, REDIS_SENTINELS, REDIS_CLUSTER }: Partial<Values>): boolean {
  return [REDIS_URL, REDIS_ADDR, REDIS_SENTINELS, REDIS_CLUSTER].some((one) => one !== undefined);
}

/** The engine that BROADCAST_MQ_TYPE names, else the configured one. */
function engineOf(values: Partial<Values>, problems: string[]): 'memory' | 'redis' | 'nats' {
  const { BROADCAST_MQ_TYPE: named, NATS_URL } = values;
  const hasRedis = namesRedis(values);
  const hasNats = NATS_URL !== undefined;
  if (named === 'redis' && !hasRedis) {
    problems.push(
      problem(
        'BROADCAST_MQ_TYPE',
        named,
        'memory, or redis with REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER',
      ),
    );
  }
  if (named === 'nats' && !hasNats) {
    problems.push(problem('BROADCAST_MQ_TYPE', named, 'memory, or nats with NATS_URL'));
  }
  if (named !== undefined) return named;
  if (hasRedis && hasNats) {
    problems.push(
      'BROADCAST_MQ_TYPE: not set, and both Redis and NATS are configured; allowed: redis or nats',
    );
  }
  if (hasRedis) return 'redis';
  return hasNats ? 'nats' : 'memory';
}

function natsOf(values: Partial<Values>, problems: string[]): NatsAddress | undefined {
  const { NATS_URL, NATS_CREDENTIALS: credentials, NATS_CA_FILE: ca } = values;
  if (NATS_URL === undefined) return undefined;
  const { servers, tls, user, password } = NATS_URL;
  if (!tls && ca !== undefined) {
    problems.push('NATS_CA_FILE: given without TLS; allowed: only with tls:// in NATS_URL');
  }
  if (user !== undefined && credentials !== undefined) {
    problems.push('NATS_CREDENTIALS: given beside a login in NATS_URL; allowed: only one of them');
  }
  return {
    servers: servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    user,
    password,
    credentials,
    tls: tls ? { ca } : undefined,
  };
}

function redisOf(values: Partial<Values>, problems: string[]): RedisAddress | undefined {
  const { REDIS_URL, REDIS_ADDR, REDIS_SENTINELS, REDIS_CLUSTER } = values;
  const url = REDIS_URL ?? REDIS_ADDR;
  if (!namesRedis(values)) return undefined;
  checkWhichRedis(values, problems);
  const tls = values.REDIS_TLS ?? url?.tls ?? false;
  if (!tls && values.REDIS_CA_FILE !== undefined) {
    problems.push('REDIS_CA_FILE: given without TLS; allowed: only with rediss:// or REDIS_TLS=true');
  }
  return {
    server: url?.server,
    tls: tls ? { ca: values.REDIS_CA_FILE } : undefined,
    sentinels: REDIS_SENTINELS,
    cluster: REDIS_CLUSTER,
    master: values.REDIS_SENTINEL_MASTER ?? '',
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
    username: values.REDIS_USERNAME ?? url?.username,
    password: values.REDIS_PASSWORD ?? url?.password,
    db: values.REDIS_DB ?? url?.db ?? 0,
  };
}

/** The settings must name one server or one way to find servers. A Cluster has only database 0. */
function checkWhichRedis(values: Partial<Values>, problems: string[]): void {
  const { REDIS_URL, REDIS_ADDR, REDIS_SENTINELS, REDIS_CLUSTER, REDIS_DB = 0 } = values;
  const url = REDIS_URL ?? REDIS_ADDR;
  if (url !== undefined && REDIS_SENTINELS !== undefined) {
    problems.push('REDIS_SENTINELS: given beside REDIS_URL or REDIS_ADDR; allowed: only one of them');
  }
  if (REDIS_CLUSTER === undefined) return;
  if (url !== undefined || REDIS_SENTINELS !== undefined) {
    problems.push(
      'REDIS_CLUSTER: given beside REDIS_URL, REDIS_ADDR or REDIS_SENTINELS; allowed: only one of them',
    );
  }
  if (REDIS_DB !== 0)
    problems.push('REDIS_DB: given with REDIS_CLUSTER; allowed: only 0, the only database of a Cluster');
}
