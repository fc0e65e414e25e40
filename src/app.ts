import {
  apiOf,
  authenticatorOf,
  historyLostOf,
  hooksOf,
  limitsOf,
  type Shared,
  sharedOf,
  webhooksOf,
} from './adapters.ts';
import { AsyncLocalStorage } from 'node:async_hooks';
import { followed } from './http/followed.ts';
import { directingFigures, type Directing, hookFigures, webhookFigures } from './telemetry/part-figures.ts';
import type { Tracer } from './core/ports/tracer.ts';
import { createServer, onUpgrade } from './http/server.ts';
import { type Metrics, createMetrics } from './telemetry/metrics.ts';
import { lettingGo } from './http/letting-go.ts';
import { ops, type OpsOptions } from './http/ops.ts';
import { processPressure, randomIds, systemClock } from './platform.ts';
import type { Config } from './config.ts';
import { Admission } from './ws/admission.ts';
import { Drain } from './core/drain.ts';
import { Rebalance } from './core/rebalance.ts';
import { Gateway } from './core/gateway.ts';
import { Heartbeat } from './ws/heartbeat.ts';
import { Hono } from 'hono';
import { Hub } from './core/hub.ts';
import type { Log } from './core/ports/log.ts';
import type { Ids } from './core/pod.ts';
import { Origins } from './core/origins.ts';
import type { Pod } from './core/pod.ts';
import { RunningApp } from './running-app.ts';
import { Roster } from './core/roster.ts';
import type { Server } from 'node:http';
import { Turn } from './core/turn.ts';
import type { Hooks } from './core/ports/hooks.ts';
import type { Watcher } from './core/ports/watcher.ts';
import { Upgrades } from './ws/upgrade.ts';
import { Watermarks } from './core/watermarks.ts';
import { createTally } from './core/tally.ts';
import { framer } from './ws/frame.ts';
import { hostname } from 'node:os';
import { pages } from './http/pages.ts';
import { sockets, type SocketsOptions } from './http/sockets.ts';

/** Health checks of proxies speak HTTP/1.0 and name no host. */
const OPS_HOST = 'localhost';

/** One pod, put together and ready to run. */
export interface App {
  /**
   * Resolves once clients can connect, or somebody wanted it to end before; operators can at once. Raises what the system
   * says where a port cannot be had.
   */
  start(): Promise<void>;
  /** Sends every client to another pod (DRAIN_DELAY_SECONDS, DRAIN_WINDOW_SECONDS); resolves when that is over. */
  drain(): Promise<void>;
  /** Closes what is left with 1001 and resolves when all are gone, after five seconds at the latest. */
  stop(): Promise<void>;
  /** Closes every connection with 1001 now; for a process that ends without waiting for anything. */
  cutOff(): void;
}

/** What an app is given besides its configuration. */
export interface Surroundings {
  readonly tracer: Tracer | undefined;
  /** An operator wants this pod to end. */
  readonly end: (reason: string) => void;
}

/** Puts the parts together; with adapters.ts the only place that names concrete adapters. */
export async function createApp(config: Config, log: Log, { tracer, end }: Surroundings): Promise<App> {
  const hooks = await hooksOf(config, log);
  const webhooks = webhooksOf(config, log);
  const ids = randomIds();
  const shared = await sharedOf(config, log, ids);
  const pod = createPod(config, log, { hooks, watcher: webhooks, tracer, shared, ids });
  const gateway = new Gateway(pod);
  const origins = new Origins(config.allowedOrigins);
  const watermarks = new Watermarks(processPressure(), pod.clock, log);
  const { WS_PATHS: paths, MAX_MESSAGE_BYTES: maxMessageBytes } = config.values;
  const admission = new Admission({ pod, paths, origins, watermarks });
  const upgrades = new Upgrades({ pod, gateway, admission, maxMessageBytes });
  const [drain, rebalance] = [new Drain(pod), new Rebalance(pod, watermarks)];
  const heartbeat = new Heartbeat(pod.hub, pod.clock, pod.limits);
  const servers = createServers(config, pod, {
    origins,
    explain: (request) => admission.explain(request),
    metrics: metricsOf(pod, webhooks, shared, { drain, rebalance, watermarks }),
    end,
    readiness: () => app.readiness,
    troubles: () => shared.broker.troubles?.() ?? [],
  });
  onUpgrade(servers[0], upgrades.handle);
  const parts = { pod, gateway, admission, watermarks, heartbeat, drain, rebalance, servers };
  const app = new RunningApp(config, { ...parts, finishing: [hooks, webhooks] });
  return app;
}

interface Extras {
  readonly hooks: Hooks | undefined;
  readonly watcher: Watcher | undefined;
  readonly tracer: Tracer | undefined;
  readonly shared: Shared;
  readonly ids: Ids;
}

function createPod(config: Config, log: Log, { hooks, watcher, tracer, shared, ids }: Extras): Pod {
  const clock = systemClock;
  const limits = limitsOf(config);
  const tally = createTally();
  const turn = new Turn(endOfTurn(tracer), (error) =>
    log.error({ err: error }, 'something could not be sent'),
  );
  const { broker, store, directory } = shared;
  const historyLost = historyLostOf(tally, log);
  const hub = new Hub({ broker, directory, framer, turn, clock, tally, tracer, historyLost });
  const roster = new Roster({ store, hub, clock, framer, limits, log, watcher });
  const authenticator = authenticatorOf(config, tally, log);
  const random = Math.random;
  const parts = { hub, broker, directory, roster, authenticator, hooks, tracer, framer, turn, clock, random };
  return { ...parts, limits, tally, log, ids, name: hostname(), startedAt: clock.elapsed() };
}

/** What ends a turn belongs to nobody's request, whoever was the first to publish in it: a tracer would mind. */
function endOfTurn(tracer: Tracer | undefined): (run: () => void) => void {
  if (tracer === undefined) return (run) => void setImmediate(run);
  const outside = AsyncLocalStorage.snapshot();
  return (run) => void outside(setImmediate, run);
}

function metricsOf(
  pod: Pod,
  webhooks: Watcher | undefined,
  { figures }: Shared,
  directing: Directing,
): Metrics {
  return createMetrics(pod, [
    ...figures,
    ...directingFigures(directing),
    ...(pod.hooks === undefined ? [] : hookFigures(pod.hooks.figures)),
    ...(webhooks === undefined ? [] : webhookFigures(webhooks.figures)),
  ]);
}

type Served = Pick<SocketsOptions, 'explain'> & OpsOptions & { readonly origins: Origins };

function createServers(
  config: Config,
  pod: Pod,
  { origins, explain, ...operation }: Served,
): [clients: Server, operators: Server] {
  const app = new Hono();
  app.use(followed(pod), lettingGo(operation.readiness));
  app.route('/', sockets({ pod, paths: config.values.WS_PATHS, explain }));
  app.route('/', apiOf(config, pod, origins));
  app.route('/', pages());
  app.notFound((c) => c.json({ error: 'there is nothing here', code: 'not_found' }, 404));
  return [createServer(app), createServer(ops(operation), OPS_HOST)];
}
