import type { Api } from './http/api-env.ts';
import { createApi } from './http/api.ts';
import { createServer, listen } from './http/server.ts';
import { type Metrics, createMetrics } from './telemetry/metrics.ts';
import { ops, type Readiness } from './http/ops.ts';
import { randomIds, randomName, systemClock } from './platform.ts';
import type { Authenticator } from './core/ports/authenticator.ts';
import type { Config } from './config.ts';
import { Admission } from './ws/admission.ts';
import { Gateway } from './core/gateway.ts';
import { GuestLogin } from './auth/guest.ts';
import { Heartbeat } from './ws/heartbeat.ts';
import { Hono } from 'hono';
import { Hub } from './core/hub.ts';
import type { Limits } from './core/limits.ts';
import type { Log } from './core/ports/log.ts';
import { jwtAuthenticator } from './auth/jwt.ts';
import { MemoryBroker } from './broker/memory.ts';
import { MemoryPresence } from './presence/memory.ts';
import { Origins } from './core/origins.ts';
import type { Pod } from './core/pod.ts';
import { Roster } from './core/roster.ts';
import type { Server } from 'node:http';
import { Turn } from './core/turn.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import { destinationOf } from './webhooks/post.ts';
import { randomUUID } from 'node:crypto';
import type { HookRunner } from './hooks/runner.ts';
import type { Hooks } from './core/ports/hooks.ts';
import type { Watcher } from './core/ports/watcher.ts';
import { Upgrades } from './ws/upgrade.ts';
import { createTally } from './core/tally.ts';
import { framer } from './ws/frame.ts';
import { hostname } from 'node:os';
import { pages } from './http/pages.ts';
import { sockets } from './http/sockets.ts';

/** One pod, put together and ready to run. */
export interface App {
  /** Resolves once clients can connect; raises what the system says where a port cannot be had. */
  start(): Promise<void>;
  /** Closes every connection with 1001 and resolves when all are gone, after five seconds at the latest. */
  stop(): Promise<void>;
}

/** The only place that names concrete adapters. */
export async function createApp(config: Config, log: Log): Promise<App> {
  const hooks = await hooksOf(config, log);
  const webhooks = webhooksOf(config, log);
  const pod = createPod(config, log, hooks, webhooks);
  const gateway = new Gateway(pod);
  const origins = new Origins(config.allowedOrigins);
  const admission = new Admission({ pod, paths: config.values.WS_PATHS, origins });
  const upgrades = new Upgrades({
    pod,
    gateway,
    admission,
    maxMessageBytes: config.values.MAX_MESSAGE_BYTES,
  });
  const heartbeat = new Heartbeat(pod.hub, pod.clock, pod.limits);
  let readiness: Readiness = 'starting';
  const { clients, operators } = createServers(config, pod, origins, createMetrics(pod), () => readiness);
  clients.on('upgrade', upgrades.handle);

  return {
    async start() {
      await pod.broker.start((room, stored) => pod.hub.room(room)?.receive(stored));
      const opsPort = await listen(operators, config.values.OPS_PORT);
      const port = await listen(clients, config.port, config.host);
      heartbeat.start();
      readiness = 'ready';
      log.info({ pod: pod.name, host: config.host, port, opsPort }, 'ready');
    },
    async stop() {
      readiness = 'draining';
      admission.drain();
      heartbeat.stop();
      await gateway.closeAll();
      closeServers([clients, operators]);
      await hooks?.stop();
      await webhooks?.stop();
      await pod.broker.stop();
      log.info({ pod: pod.name }, 'stopped');
    },
  };
}

function closeServers(servers: readonly Server[]): void {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
}

/** Loaded only where a module is named. */
async function hooksOf({ values }: Config, log: Log): Promise<HookRunner | undefined> {
  if (values.HOOKS_MODULE === undefined) return undefined;
  const { loadHooks } = await import('./hooks/load.ts');
  const { HookRunner } = await import('./hooks/runner.ts');
  return new HookRunner(await loadHooks(values.HOOKS_MODULE), { clock: systemClock, log, failed: new Map() });
}

function webhooksOf({ values }: Config, log: Log): Webhooks | undefined {
  const { WEBHOOK_URL, WEBHOOK_SECRET } = values;
  if (WEBHOOK_URL === undefined || WEBHOOK_SECRET === undefined) return undefined;
  const destination = destinationOf(WEBHOOK_URL, WEBHOOK_SECRET);
  return new Webhooks({ destination, clock: systemClock, log, random: Math.random, newId: randomUUID });
}

function createPod(config: Config, log: Log, hooks: Hooks | undefined, watcher: Watcher | undefined): Pod {
  const { values } = config;
  const clock = systemClock;
  const limits = limitsOf(config);
  const tally = createTally();
  const turn = new Turn((run) => void setImmediate(run));
  const broker = new MemoryBroker({
    clock,
    epoch: randomName(),
    historySize: values.HISTORY_SIZE,
    historyTtlMs: values.HISTORY_TTL_SECONDS * 1_000,
  });
  const hub = new Hub({ broker, framer, turn, clock, tally });
  const roster = new Roster({ store: new MemoryPresence(clock), hub, clock, framer, limits, log, watcher });
  const authenticator = authenticatorOf(config);
  const shared = { hub, broker, roster, authenticator, hooks, framer, turn, clock, limits, tally, log };
  return { ...shared, name: hostname(), startedAt: clock.now(), ids: randomIds() };
}

function authenticatorOf({ auth, values }: Config): Authenticator | undefined {
  if (!auth) return undefined;
  return jwtAuthenticator({
    secret: values.JWT_SECRET,
    jwksUrl: values.JWKS_URL,
    jwksFile: values.JWKS_FILE,
    issuer: values.JWT_ISSUER,
    audience: values.JWT_AUDIENCE,
    userClaim: values.JWT_USER_CLAIM,
    permissionsClaim: values.JWT_PERMISSIONS_CLAIM,
  });
}

function apiOf(config: Config, pod: Pod, origins: Origins): Api {
  const { values } = config;
  return createApi({
    pod,
    origins,
    apiKeys: values.API_KEYS ?? [],
    guest: guestLoginOf(config, pod),
    maxBodyBytes: values.MAX_MESSAGE_BYTES,
    requestsPerSecond: values.API_REQUESTS_PER_SECOND,
    trustProxy: values.TRUST_PROXY,
  });
}

/** On while authentication is off, unless it is switched. */
function guestLoginOf({ auth, values }: Config, { clock }: Pod): GuestLogin | undefined {
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

function limitsOf({ values }: Config): Limits {
  return {
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerUser: values.MAX_CONNECTIONS_PER_USER,
    handshakesPerSecond: values.HANDSHAKES_PER_SECOND,
    messagesPerSecond: values.MESSAGES_PER_SECOND,
    maxRoomsPerConnection: values.MAX_ROOMS_PER_CONNECTION,
    outboxMessages: values.OUTBOX_MESSAGES,
    outboxBytes: values.OUTBOX_BYTES,
    historySize: values.HISTORY_SIZE,
    presenceGraceMs: values.PRESENCE_GRACE_SECONDS * 1_000,
    presenceEventsLimit: values.PRESENCE_EVENTS_LIMIT,
    heartbeatSeconds: values.HEARTBEAT_SECONDS,
    heartbeatTimeoutSeconds: values.HEARTBEAT_TIMEOUT_SECONDS,
  };
}

function createServers(
  config: Config,
  pod: Pod,
  origins: Origins,
  metrics: Metrics,
  readiness: () => Readiness,
): { clients: Server; operators: Server } {
  const app = new Hono();
  app.route('/', sockets(pod, config.values.WS_PATHS));
  app.route('/', apiOf(config, pod, origins));
  app.route('/', pages());
  app.notFound((c) => c.json({ error: 'there is nothing here', code: 'not_found' }, 404));
  return { clients: createServer(app), operators: createServer(ops({ readiness, metrics })) };
}
