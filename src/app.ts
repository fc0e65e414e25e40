import { apiOf } from './adapters.ts';
import { type Composed, compose } from './compose.ts';
import { requestMetrics } from './http/request-metrics.ts';
import { keyTest } from './http/access.ts';
import { backendRequests, backendSeconds } from './telemetry/backend-figures.ts';
import { loadControlFigures, hookFigures, webhookFigures } from './telemetry/part-figures.ts';
import type { Tracer } from './core/ports/tracer.ts';
import { createServer, listenerOf, onUpgrade } from './http/server.ts';
import { type Metrics, createMetrics } from './telemetry/metrics.ts';
import { closeKeepAliveWhileDraining } from './http/close-keepalive-while-draining.ts';
import { ops, type OpsOptions } from './http/ops.ts';
import { thisMachine } from './platform.ts';
import type { Config } from './config.ts';
import { Hono } from 'hono';
import type { Log } from './core/ports/log.ts';
import { type App, RunningApp } from './running-app.ts';
import type { Server } from 'node:http';
import { Upgrades } from './ws/upgrade.ts';
import { framer } from './ws/frame.ts';
import { pages } from './http/pages.ts';
import { sockets } from './http/sockets.ts';

/** Health checks of proxies use HTTP/1.0 without a Host. */
const OPS_HOST = 'localhost';

/** What an app needs besides its configuration. */
export interface AppSurroundings {
  readonly tracer: Tracer | undefined;
  /** Drains and ends the pod, for `POST /drain`. */
  readonly end: (reason: string) => void;
}

/** Creates a pod with its servers. Only this file, compose.ts and adapters.ts choose concrete adapters. */
export async function createApp(config: Config, log: Log, { tracer, end }: AppSurroundings): Promise<App> {
  const composed = await compose(config, { log, platform: thisMachine(), tracer, framer });
  const { MAX_MESSAGE_BYTES: maxMessageBytes } = config.values;
  const upgrades = new Upgrades({ ...composed, maxMessageBytes });
  const operation = {
    metrics: metricsOf(composed),
    end,
    readiness: () => app.readiness,
    troubles: () => composed.engine.broker.troubles?.() ?? [],
  };
  const [clients, operators] = createServers(config, composed, operation);
  onUpgrade(clients, upgrades.handle);
  const app = new RunningApp(config, {
    ...composed,
    listeners: [listenerOf(clients), listenerOf(operators)],
  });
  return app;
}

function metricsOf({
  pod,
  webhooks,
  engine,
  ruleFigures,
  hookFigures: hooks,
  backendFigures: backend,
  ...loadControl
}: Composed): Metrics {
  return createMetrics(
    pod,
    [
      ...engine.figures,
      ...ruleFigures,
      ...loadControlFigures(loadControl),
      ...(hooks === undefined ? [] : hookFigures(hooks)),
      ...(backend === undefined ? [] : [backendRequests(backend)]),
      ...(webhooks === undefined ? [] : webhookFigures(webhooks.figures)),
    ],
    backend === undefined ? [] : [backendSeconds(backend)],
  );
}

function createServers(
  config: Config,
  { pod, origins, admission }: Composed,
  operation: OpsOptions,
): [clients: Server, operators: Server] {
  const app = new Hono();
  const explain = admission.explain.bind(admission);
  const isKey = keyTest(config.values.API_KEYS ?? []);
  app.use(requestMetrics(pod, isKey), closeKeepAliveWhileDraining(operation.readiness));
  app.route('/', sockets({ pod, origins, paths: config.values.WS_PATHS, explain }));
  app.route('/', apiOf(config, pod, origins));
  app.route('/', pages());
  app.notFound((c) => c.json({ error: 'there is nothing at this path', code: 'not_found' }, 404));
  const keepAliveMs = config.values.HTTP_KEEPALIVE_SECONDS * 1_000;
  return [
    createServer(app, { keepAliveMs }),
    createServer(ops(operation), { keepAliveMs, hostWhereNone: OPS_HOST }),
  ];
}
