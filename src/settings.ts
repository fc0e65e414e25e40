import {
  certificatesFile,
  count,
  credentialsFile,
  flag,
  keyPrefix,
  keySetFile,
  type Kind,
  natsPrefix,
  oneOf,
  origins,
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

/** One environment variable: what it may hold, what it is if unset, what it does (the README's table shows this). */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** As one would write it in the environment; absent: there is none. */
  readonly fallback?: string;
  readonly meaning: string;
}

function setting<T>(kind: Kind<T>, fallback: string, meaning: string): Setting<T> & { fallback: string } {
  return { kind, fallback, meaning };
}

function optional<T>(kind: Kind<T>, meaning: string): Setting<T> {
  return { kind, meaning };
}

/** Every setting there is. README.md prints this table; `npm test` compares the two. */
export const SETTINGS = {
  PORT: setting(port, '8080', 'where clients connect'),
  HOST: setting(text, '0.0.0.0', 'address to listen on'),
  SERVER_ADDR: optional(text, '`:8080` or `host:port`; wins over `PORT` and `HOST`'),
  OPS_PORT: setting(port, '9090', 'port of `/livez`, `/readyz` and `/metrics`'),
  LOG_LEVEL: setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'least severe line',
  ),
  LOG_FORMAT: optional(oneOf('json', 'pretty'), '`pretty` on a terminal, else `json`'),
  WS_PATHS: setting(wsPaths, '/ws,/api/chat-api/ws', 'each serves `PATH`, `PATH/{room}` and `PATH?room=`'),
  BROADCAST_MQ_TYPE: optional(
    oneOf('memory', 'redis', 'nats'),
    'what carries messages between pods; unset: `redis` or `nats`, whichever is configured, else `memory`',
  ),
  REDIS_URL: optional(redisUrl, 'the Redis server: `redis://`, `rediss://` (TLS) or `host:port`'),
  REDIS_ADDR: optional(redisUrl, 'another name of `REDIS_URL`'),
  REDIS_USERNAME: optional(text, 'ACL user; wins over the one in the URL'),
  REDIS_PASSWORD: optional(secret, 'password; wins over the one in the URL'),
  REDIS_DB: optional(count(0, 999_999), 'number of the database; wins over the one in the URL; unset: 0'),
  REDIS_SENTINELS: optional(hostPorts, 'all Sentinels; then `REDIS_URL` is left unset'),
  REDIS_SENTINEL_MASTER: setting(text, 'mymaster', 'what the Sentinels call the master'),
  REDIS_SENTINEL_PASSWORD: optional(secret, 'password of the Sentinels themselves'),
  REDIS_CLUSTER: optional(hostPorts, 'some servers of a Redis Cluster; then `REDIS_URL` is left unset'),
  REDIS_TLS: optional(
    flag,
    'TLS to Redis and to the Sentinels; wins over the URL, which asks for it by `rediss://`',
  ),
  REDIS_CA_FILE: optional(
    certificatesFile,
    'whose certificates Redis and the Sentinels may have; unset: of the authorities that Node knows',
  ),
  REDIS_PREFIX: optional(keyPrefix, 'put before every key and channel in Redis'),
  NATS_URL: optional(
    natsUrls,
    'servers of one NATS cluster with JetStream, separated by commas: `nats://`, or `tls://`',
  ),
  NATS_CREDENTIALS: optional(
    credentialsFile,
    'who comes, where NATS has accounts; in place of a login in the URL',
  ),
  NATS_CA_FILE: optional(
    certificatesFile,
    'whose certificates NATS may have; unset: of the authorities that Node knows',
  ),
  NATS_REPLICAS: setting(oneOf('1', '3', '5'), '1', 'on how many servers of the cluster everything is kept'),
  NATS_PREFIX: setting(natsPrefix, 'realtime', 'begins the name of every stream and subject in NATS'),
  PUBLISH_BUFFER_MESSAGES: setting(
    count(0, 1_000_000),
    '10000',
    'messages that may wait on this pod while Redis or NATS is away',
  ),
  MEMORY_BYTES: optional(
    count(1_048_576, 1_099_511_627_776),
    'what a pod keeps in memory; without Redis or NATS: rooms, messages, members, positions and refs together; with them: refs and what waits; above it the oldest go; unset: a quarter of the heap limit',
  ),
  START_WAIT_SECONDS: setting(
    seconds(0, 3_600),
    '20',
    'how long a pod that has not reached Redis or NATS yet stays unready; then it serves without',
  ),
  HISTORY_SIZE: setting(count(0, 10_000), '100', 'messages kept per room; 0 makes every message ephemeral'),
  HISTORY_TTL_SECONDS: setting(seconds(1, 604_800), '300', 'how long a message is kept'),
  PRESENCE_TTL_SECONDS: setting(
    seconds(2, 86_400),
    '60',
    'how long presence stays in Redis or NATS when no pod is left to renew it',
  ),
  POD_LEASE_SECONDS: setting(seconds(1, 3_600), '10', 'a pod that is silent for so long counts as dead'),
  PRESENCE_GRACE_SECONDS: setting(
    seconds(0, 3_600),
    '5',
    'how long a dropped connection may return without a leave',
  ),
  PRESENCE_EVENTS_LIMIT: setting(
    count(0, 10_000),
    '500',
    'members of a room up to which single joins and leaves are announced; longest member list',
  ),
  AUTH_ENABLED: optional(flag, 'whether a token is needed; unset: true if a key source is set'),
  JWT_SECRET: optional(secret, 'key for tokens signed with HS256, and for guest tokens'),
  JWKS_URL: optional(httpUrl, 'where public keys are, for RS256, ES256 and EdDSA'),
  JWKS_FILE: optional(keySetFile, 'file with public keys, for RS256, ES256 and EdDSA'),
  JWKS_COOLDOWN_SECONDS: setting(
    seconds(1, 3_600),
    '5',
    'how often at most the key server is asked for the keys of tokens that name an unknown one',
  ),
  JWKS_STALE_SECONDS: setting(
    seconds(0, 31_536_000),
    '86400',
    'how long known keys go on while the key server is away, from when they are due to be fetched again',
  ),
  JWT_ISSUER: optional(text, 'the `iss` that a token must have'),
  JWT_AUDIENCE: optional(text, 'the `aud` that a token must have'),
  JWT_USER_CLAIM: setting(text, 'sub', 'claim with the user id; where it is absent: `user_id`, then `sub`'),
  JWT_PERMISSIONS_CLAIM: setting(text, 'permissions', 'claim with the permissions'),
  GUEST_LOGIN: optional(flag, '`POST /api/auth/guest`; unset: on while authentication is off'),
  GUEST_PREFIX: optional(
    text,
    'put before a guest’s name; unset: `guest:`, or nothing while authentication is off',
  ),
  GUEST_PERMISSIONS: optional(rules, 'what a guest may do; unset: as a token without the claim'),
  API_KEYS: optional(secrets, 'keys for the HTTP API, header `X-API-Key`'),
  ALLOWED_ORIGINS: optional(
    origins,
    'pages that may connect, for WebSockets and CORS; the pod’s own only where `self` is listed; unset: any',
  ),
  CORS_ALLOWED_ORIGINS: optional(origins, 'another name of `ALLOWED_ORIGINS`'),
  TRUST_PROXY: setting(
    trustedProxies,
    'false',
    'whose `X-Forwarded-For` and `X-Forwarded-Host` are believed: `true`: the one proxy in front of the pod; a number: so many, one behind the other; networks: every proxy with an address in them',
  ),
  HOOKS_MODULE: optional(text, 'path of a module with hooks'),
  WEBHOOK_URL: optional(httpUrl, 'where events are posted'),
  WEBHOOK_SECRET: optional(secret, 'signs what is posted'),
  MAX_CONNECTIONS: setting(count(1, 1_000_000), '10000', 'connections on this pod'),
  MAX_CONNECTIONS_PER_USER: setting(count(0, 1_000_000), '0', 'connections of one user; 0: no limit'),
  HANDSHAKES_PER_SECOND: setting(count(1, 1_000_000), '500', 'upgrades per second, with a burst of as many'),
  MAX_ROOMS_PER_CONNECTION: setting(count(1, 10_000), '100', 'rooms one connection may be in'),
  MAX_MESSAGE_BYTES: setting(count(128, 16_777_216), '65536', 'largest frame a client may send'),
  OUTBOX_MESSAGES: setting(count(1, 100_000), '256', 'messages that may wait for one connection'),
  OUTBOX_BYTES: setting(count(1_024, 1_073_741_824), '1048576', 'bytes that may wait for one connection'),
  MESSAGES_PER_SECOND: setting(
    count(0, 1_000_000),
    '50',
    'frames per second from one connection, burst twice that; 0: no limit',
  ),
  API_REQUESTS_PER_SECOND: setting(count(1, 1_000_000), '200', 'per API key or address, burst twice that'),
  HTTP_KEEPALIVE_SECONDS: setting(
    seconds(1, 3_600),
    '75',
    'how long an HTTP connection without a request is kept; longer than the proxies in front keep theirs',
  ),
  HEARTBEAT_SECONDS: setting(seconds(1, 3_600), '25', 'how often a connection is pinged'),
  HEARTBEAT_TIMEOUT_SECONDS: setting(
    seconds(2, 7_200),
    '60',
    'silence after which a connection is closed with 4408',
  ),
  DRAIN_DELAY_SECONDS: setting(
    seconds(0, 3_600),
    '0',
    'after SIGTERM the pod is not ready, but serves and takes upgrades for so long: time for proxies to notice',
  ),
  DRAIN_WINDOW_SECONDS: setting(
    seconds(0, 3_600),
    '30',
    'then connections are sent to other pods, evenly over so long',
  ),
  REBALANCE_PERCENT: setting(
    count(0, 1_000),
    '20',
    'a pod with so much more than the mean sends connections to the others; 0: never',
  ),
  REBALANCE_PER_SECOND: optional(
    count(0, 100_000),
    'how many a second; unset: 3 % of its connections; 0: none',
  ),
  SHUTDOWN_TIMEOUT_SECONDS: setting(seconds(1, 7_200), '45', 'after SIGTERM the process is gone by then'),
} as const satisfies Record<string, Setting<unknown>>;
