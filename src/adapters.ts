import { type Api } from './http/api-env.ts';
import { atMostOncePer } from './core/base/at-most.ts';
import { createApi } from './http/api.ts';
import type { Authenticator } from './core/ports/authenticator.ts';
import { ConfigError, type Config } from './config.ts';
import { readHttpAddress } from './core/base/http-address.ts';
import { GuestLogin } from './auth/guest.ts';
import { jwtAuthenticator } from './auth/jwt.ts';
import { loadKeys } from './auth/keys.ts';
import { RemoteKeys } from './auth/remote-keys.ts';
import type { Limits } from './core/base/limits.ts';
import type { Log } from './core/ports/log.ts';
import type { Broker } from './core/ports/broker.ts';
import type { Directory } from './core/ports/directory.ts';
import type { Denylist } from './core/ports/denylist.ts';
import type { Grants } from './core/ports/grants.ts';
import type { Figure } from './telemetry/figures.ts';
import { memoryEngine } from './engines/memory/index.ts';
import type { PresenceStore } from './core/ports/presence-store.ts';
import type { NatsAddress } from './engines/nats/connection/options.ts';
import type { RedisAddress } from './engines/redis/connection/options.ts';
import {
  engineFigures,
  natsFigures,
  redisFigures,
  rulesFigures,
  withoutRedis,
} from './telemetry/part-figures.ts';
import { Origins } from './core/base/origins.ts';
import type { Pod } from './core/commands/pod.ts';
import type { Clock } from './core/ports/clock.ts';
import type { Platform } from './platform.ts';
import { count, type Tally } from './core/base/tally.ts';
import type { AdmissionOptions } from './ws/admission.ts';
import { remoteAddress } from './http/client-address.ts';
import type { TrustedProxies } from './core/base/trusted-proxies.ts';
import { defaultRule, rulesContext } from './rules-context.ts';
import { uniformRules } from './rules/uniform.ts';
import type { RoomRules } from './core/ports/room-rules.ts';

const KEYS_WARNING_MS = 60_000;
const HISTORY_WARNING_MS = 60_000;

/** The parts that an engine provides. */
export interface Engine {
  readonly broker: Broker;
  readonly store: PresenceStore;
  readonly directory: Directory;
  readonly grants: Grants;
  readonly denylist: Denylist;
  /** The metrics of these parts. */
  readonly figures: readonly Figure[];
}

export async function createEngine(
  config: Config,
  log: Log,
  platform: Platform,
  rules: RoomRules,
): Promise<Engine> {
  if (config.redis !== undefined) return redisOf(config, config.redis, log, platform, rules);
  if (config.nats !== undefined) return natsOf(config, config.nats, log, platform, rules);
  const { values } = config;
  const engine = memoryEngine({
    clock: platform.clock,
    epoch: platform.newName(),
    limitsOf: (room) => rules.ruleOf(room),
    memoryBytes: memoryBytesOf(values, platform),
  });
  return { ...engine, figures: withoutRedis() };
}

/** The smallest value of MEMORY_BYTES; a tiny heap must not go below it. */
const LEAST_MEMORY_BYTES = 1_048_576;

function memoryBytesOf({ MEMORY_BYTES }: Config['values'], { heapLimitBytes }: Platform): number {
  return MEMORY_BYTES ?? Math.max(LEAST_MEMORY_BYTES, Math.floor(heapLimitBytes / 4));
}

/** The options that Redis and NATS have in common. */
function sharedOptions(values: Config['values'], platform: Platform) {
  return {
    bufferMessages: values.PUBLISH_BUFFER_MESSAGES,
    memoryBytes: memoryBytesOf(values, platform),
    newName: () => platform.ids.ephemeral(),
  };
}

/** Imports the engine only if Redis is configured. */
async function redisOf(
  { values }: Config,
  address: RedisAddress,
  log: Log,
  platform: Platform,
  rules: RoomRules,
): Promise<Engine> {
  const { redisEngine } = await import('./engines/redis/index.ts');
  const { broker, store, directory, grants, denylist, placement } = redisEngine({
    ...sharedOptions(values, platform),
    limitsOf: (room) => rules.ruleOf(room),
    address,
    prefix: values.REDIS_PREFIX ?? '',
    pod: platform.newName(),
    leaseMs: values.POD_LEASE_SECONDS * 1_000,
    startWaitMs: values.START_WAIT_SECONDS * 1_000,
    presenceTtlMs: values.PRESENCE_TTL_SECONDS * 1_000,
    random: platform.random,
    clock: platform.clock,
    log,
  });
  const figures = [...engineFigures(broker), ...redisFigures({ placement, broker })];
  return { broker, store, directory, grants, denylist, figures };
}

/** Imports the engine only if NATS is configured. */
async function natsOf(
  { values }: Config,
  address: NatsAddress,
  log: Log,
  platform: Platform,
  rules: RoomRules,
): Promise<Engine> {
  const { natsEngine } = await import('./engines/nats/index.ts');
  const { broker, store, directory, grants, denylist, backbone } = natsEngine({
    ...sharedOptions(values, platform),
    limitsOf: (room) => rules.ruleOf(room),
    widest: () => rules.widest,
    address,
    prefix: values.NATS_PREFIX,
    replicas: Number(values.NATS_REPLICAS),
    maxMessageBytes: values.MAX_MESSAGE_BYTES,
    pod: platform.newName(),
    newEpoch: platform.newName,
    leaseMs: values.POD_LEASE_SECONDS * 1_000,
    startWaitMs: values.START_WAIT_SECONDS * 1_000,
    presenceTtlMs: values.PRESENCE_TTL_SECONDS * 1_000,
    clock: platform.clock,
    log,
  });
  const figures = [...engineFigures(broker), ...natsFigures({ backbone, broker })];
  return { broker, store, directory, grants, denylist, figures };
}

/** Undefined while authentication is off. Raises an error if a key file is unusable. */
export function authenticatorOf(
  { auth, checksTokens, values }: Config,
  tally: Tally,
  log: Log,
  clock: Clock,
): Authenticator | undefined {
  if (!auth) return undefined;
  if (!checksTokens) return withoutKeys;
  const { JWT_SECRET: secret, JWT_SECRET_PREVIOUS: previousSecret, JWKS_FILE: keySet } = values;
  const authenticator = jwtAuthenticator({
    secret,
    previousSecret,
    algorithms: values.JWT_ALGORITHMS,
    remoteKeys: remoteKeysOf(values, log, clock),
    keySet: keySet === undefined ? undefined : { keys: [...keySet.keys] },
    issuer: values.JWT_ISSUER,
    audience: values.JWT_AUDIENCE,
    userClaim: values.JWT_USER_CLAIM,
    permissionsClaim: values.JWT_PERMISSIONS_CLAIM,
    keepsClaims: values.BACKEND_URL !== undefined,
    roomsClaim: values.JWT_ROOMS_CLAIM,
    clock,
  });
  return counted(authenticator, tally, log);
}

function remoteKeysOf(
  { JWKS_URL: url, JWKS_COOLDOWN_SECONDS, JWKS_STALE_SECONDS }: Config['values'],
  log: Log,
  clock: Clock,
): RemoteKeys | undefined {
  const server = url === undefined ? undefined : readHttpAddress(url);
  if (server === undefined) return undefined;
  const warn = (): void => log.warn({ host: server.address.host }, 'the keys at JWKS_URL cannot be loaded');
  return new RemoteKeys({
    load: () => loadKeys(server),
    clock,
    cooldownMs: JWKS_COOLDOWN_SECONDS * 1_000,
    staleMs: JWKS_STALE_SECONDS * 1_000,
    failed: atMostOncePer(KEYS_WARNING_MS, clock, warn),
  });
}

/** Only the backend names users, and the token of the client is for the backend. */
const withoutKeys: Authenticator = {
  hasNoKeys: true,
  authenticate: () => Promise.resolve({ fault: 'invalid_token', reason: 'unknown_key' }),
};

/** Counts and logs refused tokens with the reason only: even the claims of a token are secret. */
function counted(authenticator: Authenticator, tally: Tally, log: Log): Authenticator {
  return {
    async authenticate(token) {
      const result = await authenticator.authenticate(token);
      if (!('fault' in result)) return result;
      count(tally.authFailures, result.reason);
      log.debug({ reason: result.reason }, 'a token was refused');
      return result;
    },
  };
}

/** Counts the rooms, and warns at most once a minute, because a failover may affect thousands. */
export function historyLostOf(tally: Tally, log: Log, clock: Clock): () => void {
  const warn = atMostOncePer(HISTORY_WARNING_MS, clock, () =>
    log.warn(
      { rooms: tally.historyLost },
      'the history of a room went back or lost messages; its members got history_lost',
    ),
  );
  return () => {
    tally.historyLost += 1;
    warn();
  };
}

/** Without GUEST_LOGIN, guest login is on only while authentication is off. */
function guestLoginOf({ auth, values }: Config, clock: Clock): GuestLogin | undefined {
  if (!(values.GUEST_LOGIN ?? !auth)) return undefined;
  return new GuestLogin({
    secret: auth ? values.JWT_SECRET : undefined,
    prefix: values.GUEST_PREFIX ?? (auth ? 'guest:' : ''),
    permissions: values.GUEST_PERMISSIONS,
    permissionsClaim: values.JWT_PERMISSIONS_CLAIM,
    userClaim: values.JWT_USER_CLAIM,
    issuer: values.JWT_ISSUER,
    audience: values.JWT_AUDIENCE,
    now: () => clock.now(),
  });
}

/** Reads a client's address from a request, past the trusted proxies. */
export function remoteOf(proxies: TrustedProxies): AdmissionOptions['remoteOf'] {
  return ({ headers, socket }) =>
    remoteAddress(socket?.remoteAddress, [headers['x-forwarded-for']].flat().join(','), proxies);
}

export function originsOf({ auth, allowedOrigins, passesCookies }: Config, log: Log): Origins {
  const origins = new Origins(allowedOrigins, { withCookies: passesCookies });
  if (origins.self && !auth) {
    log.warn(
      {},
      'ALLOWED_ORIGINS contains self, and no client needs a token: a page on any host name that resolves to this pod can connect; list origins by name',
    );
  }
  return origins;
}

export function apiOf(config: Config, pod: Pod, origins: Origins): Api {
  const { values } = config;
  return createApi({
    pod,
    origins,
    apiKeys: values.API_KEYS ?? [],
    guest: guestLoginOf(config, pod.clock),
    maxBodyBytes: values.MAX_MESSAGE_BYTES,
    requestsPerSecond: values.API_REQUESTS_PER_SECOND,
    trustProxy: values.TRUST_PROXY,
  });
}

/** What holds for each room, and its metrics. */
export interface Rules {
  readonly rules: RoomRules;
  readonly figures: readonly Figure[];
}

/** Raises ConfigError if ROOMS_FILE names a file that has a fault. */
export async function rulesOf(config: Config, log: Log, { clock }: Platform): Promise<Rules> {
  const { ROOMS_FILE: path } = config.values;
  if (path === undefined) return { rules: uniformRules(defaultRule(config)), figures: [] };
  const { FileRules } = await import('./rules/file-rules.ts');
  const { RulesError } = await import('./rules/load-rules.ts');
  try {
    const rules = await FileRules.load({ ...rulesContext(config), path, clock, log, onHangup });
    return { rules, figures: rulesFigures(rules.figures) };
  } catch (error) {
    if (!(error instanceof RulesError)) throw error;
    throw new ConfigError(error.problems.map((problem) => `ROOMS_FILE: ${problem}`));
  }
}

function onHangup(task: () => void): () => void {
  process.on('SIGHUP', task);
  return () => void process.off('SIGHUP', task);
}

export function limitsOf({ values }: Config): Limits {
  return {
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerUser: values.MAX_CONNECTIONS_PER_USER,
    handshakesPerSecond: values.HANDSHAKES_PER_SECOND,
    messagesPerSecond: values.MESSAGES_PER_SECOND,
    maxRoomsPerConnection: values.MAX_ROOMS_PER_CONNECTION,
    maxMessageBytes: values.MAX_MESSAGE_BYTES,
    outboxMessages: values.OUTBOX_MESSAGES,
    outboxBytes: values.OUTBOX_BYTES,
    presenceGraceMs: values.PRESENCE_GRACE_SECONDS * 1_000,
    rebalancePercent: values.REBALANCE_PERCENT,
    rebalancePerSecond: values.REBALANCE_PER_SECOND,
    heartbeatSeconds: values.HEARTBEAT_SECONDS,
    heartbeatTimeoutSeconds: values.HEARTBEAT_TIMEOUT_SECONDS,
  };
}
