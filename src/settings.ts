import { type Kind, count, oneOf, port, seconds, text, wsPaths } from './setting-kinds.ts';

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
  BROADCAST_MQ_TYPE: setting(oneOf('memory'), 'memory', 'what carries messages between pods'),
  HISTORY_SIZE: setting(count(0, 10_000), '100', 'messages kept per room; 0 makes every message ephemeral'),
  HISTORY_TTL_SECONDS: setting(seconds(1, 604_800), '300', 'how long a message is kept'),
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
  MAX_CONNECTIONS: setting(count(1, 1_000_000), '10000', 'connections on this pod'),
  MAX_ROOMS_PER_CONNECTION: setting(count(1, 10_000), '100', 'rooms one connection may be in'),
  MAX_MESSAGE_BYTES: setting(count(128, 16_777_216), '65536', 'largest frame a client may send'),
  OUTBOX_MESSAGES: setting(count(1, 100_000), '256', 'messages that may wait for one connection'),
  OUTBOX_BYTES: setting(count(1_024, 1_073_741_824), '1048576', 'bytes that may wait for one connection'),
  HEARTBEAT_SECONDS: setting(seconds(1, 3_600), '25', 'how often a connection is pinged'),
  HEARTBEAT_TIMEOUT_SECONDS: setting(
    seconds(2, 7_200),
    '60',
    'silence after which a connection is closed with 4408',
  ),
  SHUTDOWN_TIMEOUT_SECONDS: setting(seconds(1, 3_600), '45', 'after SIGTERM the process is gone by then'),
} as const satisfies Record<string, Setting<unknown>>;
