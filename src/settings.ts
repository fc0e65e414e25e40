import {
  backendEvents,
  algorithms,
  certificatesFile,
  count,
  credentialsFile,
  flag,
  headerNames,
  keyPrefix,
  keySetFile,
  type Kind,
  milliseconds,
  natsPrefix,
  oneOf,
  origins,
  personalRoom,
  port,
  rules,
  seconds,
  secret,
  secrets,
  text,
  trustedProxies,
  wsPaths,
} from './setting-kinds.ts';
import { hostPorts, httpUrl, natsUrls, redisUrl } from './setting-urls.ts';

/**
 * One environment variable: its allowed values, its default and its meaning, as the table in docs/settings.md shows
 * them.
 */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** The default, as written in the environment. Absent: no default. */
  readonly fallback?: string;
  readonly meaning: string;
}

function setting<T>(kind: Kind<T>, fallback: string, meaning: string): Setting<T> & { fallback: string } {
  return { kind, fallback, meaning };
}

function optional<T>(kind: Kind<T>, meaning: string): Setting<T> {
  return { kind, meaning };
}

/** Every setting. docs/settings.md contains them as a table, written by `npm run docs`; a test compares the two. */
export const SETTINGS = {
  PORT: setting(port, '8080', 'where clients connect'),
  HOST: setting(text, '0.0.0.0', 'address to listen on'),
  SERVER_ADDR: optional(text, '`:8080` or `host:port`; wins over `PORT` and `HOST`'),
  OPS_PORT: setting(port, '9090', 'port of `/livez`, `/readyz`, `/metrics` and `/rules.schema.json`'),
  LOG_LEVEL: setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'lowest severity that is logged',
  ),
  LOG_FORMAT: optional(oneOf('json', 'pretty'), 'unset: `pretty` on a terminal, else `json`'),
  WS_PATHS: setting(
    wsPaths,
    '/ws,/api/chat-api/ws',
    'WebSocket paths; each serves `PATH`, `PATH/{room}` and `PATH?room=`',
  ),
  BROADCAST_MQ_TYPE: optional(
    oneOf('memory', 'redis', 'nats'),
    'what carries messages between pods; unset: `redis` or `nats`, whichever is configured, else `memory`',
  ),
  REDIS_URL: optional(redisUrl, 'the Redis server: `redis://`, `rediss://` (TLS) or `host:port`'),
  REDIS_ADDR: optional(redisUrl, 'another name for `REDIS_URL`'),
  REDIS_USERNAME: optional(text, 'ACL user; wins over the one in the URL'),
  REDIS_PASSWORD: optional(secret, 'password; wins over the one in the URL'),
  REDIS_DB: optional(count(0, 999_999), 'database number; wins over the one in the URL; unset: 0'),
  REDIS_SENTINELS: optional(hostPorts, 'addresses of all Sentinels; `REDIS_URL` must be unset'),
  REDIS_SENTINEL_MASTER: setting(text, 'mymaster', 'the name by which the Sentinels know the master'),
  REDIS_SENTINEL_PASSWORD: optional(secret, 'password of the Sentinels themselves'),
  REDIS_CLUSTER: optional(
    hostPorts,
    'addresses of some servers of a Redis Cluster; `REDIS_URL` must be unset',
  ),
  REDIS_TLS: optional(
    flag,
    'whether connections to Redis and the Sentinels use TLS; wins over `rediss://` in the URL',
  ),
  REDIS_CA_FILE: optional(
    certificatesFile,
    'certificate authorities that may sign the certificates of Redis and the Sentinels; unset: those that Node trusts',
  ),
  REDIS_PREFIX: optional(keyPrefix, 'prefix of every key and channel in Redis'),
  NATS_URL: optional(
    natsUrls,
    'servers of one NATS cluster with JetStream, separated by commas: `nats://`, or `tls://`',
  ),
  NATS_CREDENTIALS: optional(
    credentialsFile,
    'credentials for a NATS with accounts; replaces a login in the URL',
  ),
  NATS_CA_FILE: optional(
    certificatesFile,
    'certificate authorities that may sign the certificates of NATS; unset: those that Node trusts',
  ),
  NATS_REPLICAS: setting(oneOf('1', '3', '5'), '1', 'how many servers of the NATS cluster store each stream'),
  NATS_PREFIX: setting(natsPrefix, 'realtime', 'prefix of every stream and subject in NATS'),
  PUBLISH_BUFFER_MESSAGES: setting(
    count(0, 1_000_000),
    '10000',
    'messages that this pod buffers while Redis or NATS is unavailable',
  ),
  MEMORY_BYTES: optional(
    count(1_048_576, 1_099_511_627_776),
    'memory for what a pod stores itself: without Redis or NATS, rooms, messages, members, positions and refs together; with them, refs and buffered messages; above the limit the oldest are dropped; unset: a quarter of the heap limit',
  ),
  START_WAIT_SECONDS: setting(
    seconds(0, 3_600),
    '20',
    'how long a pod that has not reached Redis or NATS yet stays unready; after that it serves without them',
  ),
  HISTORY_SIZE: setting(count(0, 10_000), '100', 'messages stored per room; 0 makes every message ephemeral'),
  HISTORY_TTL_SECONDS: setting(seconds(1, 604_800), '300', 'how long a message is stored'),
  PRESENCE_TTL_SECONDS: setting(
    seconds(2, 86_400),
    '60',
    'how long presence stays in Redis or NATS when no pod is left to renew it',
  ),
  POD_LEASE_SECONDS: setting(
    seconds(1, 3_600),
    '10',
    'a pod that has not renewed its lease for this long counts as dead',
  ),
  PRESENCE_GRACE_SECONDS: setting(
    seconds(0, 3_600),
    '5',
    'grace period: how long a lost connection may return without a leave',
  ),
  PRESENCE_EVENTS_LIMIT: setting(
    count(0, 10_000),
    '500',
    'largest room, in members, in which single joins and leaves are announced; also the longest member list',
  ),
  AUTH_ENABLED: optional(flag, 'whether clients need a token; unset: true if a key source is set'),
  JWT_SECRET: optional(secret, 'key for tokens signed with HS256, and for guest tokens'),
  JWT_SECRET_PREVIOUS: optional(
    secret,
    'the key before `JWT_SECRET`: tokens signed with it are still accepted; it signs no guest tokens',
  ),
  JWKS_URL: optional(httpUrl, 'URL of the public keys for RS256, ES256 and EdDSA'),
  JWKS_FILE: optional(keySetFile, 'file with the public keys for RS256, ES256 and EdDSA'),
  JWKS_COOLDOWN_SECONDS: setting(
    seconds(1, 3_600),
    '5',
    'shortest time between two requests to the key server that are made because a token names an unknown key',
  ),
  JWKS_STALE_SECONDS: setting(
    seconds(0, 31_536_000),
    '86400',
    'how long known keys are used after their refresh is due, while the key server cannot be reached',
  ),
  JWT_ALGORITHMS: optional(
    algorithms,
    'algorithms that tokens may be signed with, beside HS256, RS256, ES256 and EdDSA; each needs a key of its kind',
  ),
  JWT_ISSUER: optional(text, 'the `iss` that every token must have'),
  JWT_AUDIENCE: optional(text, 'the `aud` that every token must have'),
  JWT_USER_CLAIM: setting(
    text,
    'sub',
    'claim that holds the user id; if a token lacks it: `user_id`, then `sub`',
  ),
  JWT_PERMISSIONS_CLAIM: setting(text, 'permissions', 'claim that holds the permissions'),
  JWT_ROOMS_CLAIM: optional(
    text,
    'claim that holds the names of the rooms that a connection joins by itself; unset: none',
  ),
  PERSONAL_ROOM: optional(
    personalRoom,
    'name of the room that each connection of a user joins by itself and no other user; unset: none',
  ),
  GUEST_LOGIN: optional(
    flag,
    'whether `POST /api/auth/guest` is served; unset: only while authentication is off',
  ),
  GUEST_PREFIX: optional(
    text,
    'put before a guest’s name; unset: `guest:`, or nothing while authentication is off',
  ),
  GUEST_PERMISSIONS: optional(rules, 'permissions of a guest; unset: those of a token without the claim'),
  API_KEYS: optional(secrets, 'keys for the HTTP API, sent in the header `X-API-Key`'),
  ALLOWED_ORIGINS: optional(
    origins,
    'origins of the pages that may use WebSockets and CORS; pages of the pod itself only if `self` is listed; unset: any origin',
  ),
  CORS_ALLOWED_ORIGINS: optional(origins, 'another name for `ALLOWED_ORIGINS`'),
  TRUST_PROXY: setting(
    trustedProxies,
    'false',
    'whose `X-Forwarded-For` and `X-Forwarded-Host` the pod trusts: `true`: the one proxy in front of the pod; a number: that many proxies in a row; networks: every proxy with an address in them',
  ),
  ROOMS_FILE: optional(
    text,
    'path of a file with rules for rooms (docs/platform/rules.md), in YAML or JSON; the pod follows its changes',
  ),
  HOOKS_MODULE: optional(text, 'path of a module with hooks'),
  WEBHOOK_URL: optional(httpUrl, 'URL to which events are posted'),
  WEBHOOK_SECRET: optional(secret, 'key that signs each posted event'),
  BACKEND_URL: optional(httpUrl, 'URL of the backend that decides (docs/backend/backend.md)'),
  BACKEND_SECRET: optional(secret, 'key that signs each question to the backend'),
  BACKEND_EVENTS: optional(
    backendEvents,
    'what the backend decides; must be set with `BACKEND_URL`; with `connect`, the backend may name users, which is a key source',
  ),
  BACKEND_TIMEOUT_MS: setting(
    milliseconds(1, 60_000),
    '1000',
    'how long the backend may take to answer; also how long a question may wait for its turn',
  ),
  BACKEND_ON_FAILURE: setting(
    oneOf('refuse', 'allow'),
    'refuse',
    'what happens if the backend does not decide; calls and rooms with `join: backend` are never allowed then',
  ),
  BACKEND_HEADERS: optional(
    headerNames,
    'headers of the client’s request that the backend gets, such as `cookie,authorization`',
  ),
  BACKEND_CONCURRENCY: setting(
    count(1, 10_000),
    '100',
    'questions to the backend that may be in progress at once',
  ),
  MAX_CONNECTIONS: setting(count(1, 1_000_000), '10000', 'most connections to this pod'),
  MAX_CONNECTIONS_PER_USER: setting(count(0, 1_000_000), '0', 'most connections of one user; 0: no limit'),
  HANDSHAKES_PER_SECOND: setting(count(1, 1_000_000), '500', 'upgrades per second, with a burst of as many'),
  MAX_ROOMS_PER_CONNECTION: setting(count(1, 10_000), '100', 'rooms that one connection may be in'),
  MAX_MESSAGE_BYTES: setting(count(128, 16_777_216), '65536', 'largest frame that a client may send'),
  OUTBOX_MESSAGES: setting(count(1, 100_000), '256', 'messages that may be queued for one connection'),
  OUTBOX_BYTES: setting(
    count(1_024, 1_073_741_824),
    '1048576',
    'bytes that may be queued for one connection',
  ),
  MESSAGES_PER_SECOND: setting(
    count(0, 1_000_000),
    '50',
    'frames per second from one connection, with a burst of twice that; 0: no limit',
  ),
  API_REQUESTS_PER_SECOND: setting(
    count(1, 1_000_000),
    '200',
    'requests per second for each API key or address, with a burst of twice that',
  ),
  HTTP_KEEPALIVE_SECONDS: setting(
    seconds(1, 3_600),
    '75',
    'how long an idle HTTP connection stays open; must be longer than in the proxies in front',
  ),
  HEARTBEAT_SECONDS: setting(seconds(1, 3_600), '25', 'how often each connection is pinged'),
  HEARTBEAT_TIMEOUT_SECONDS: setting(
    seconds(2, 7_200),
    '60',
    'silence after which a connection is closed with 4408',
  ),
  DRAIN_DELAY_SECONDS: setting(
    seconds(0, 3_600),
    '0',
    'how long after SIGTERM the pod, although not ready, still serves and accepts upgrades: time for proxies to notice',
  ),
  DRAIN_WINDOW_SECONDS: setting(
    seconds(0, 3_600),
    '30',
    'after that delay, the time over which connections are moved to other pods at an even rate',
  ),
  REBALANCE_PERCENT: setting(
    count(0, 1_000),
    '20',
    'a pod whose connections exceed the mean by this much moves some to other pods; 0: never',
  ),
  REBALANCE_PER_SECOND: optional(
    count(0, 100_000),
    'connections that rebalancing moves per second; unset: 3 % of the pod’s connections; 0: none',
  ),
  SHUTDOWN_TIMEOUT_SECONDS: setting(
    seconds(1, 7_200),
    '45',
    'the process exits within this time after SIGTERM',
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** The values of all settings, read. */
export type Values = { readonly [Name in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Name]> };
type ValueOf<S> = S extends Setting<infer T> ? (S extends { fallback: string } ? T : T | undefined) : never;
