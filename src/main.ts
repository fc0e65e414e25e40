import { ConfigError, loadConfig } from './config.ts';
import { createApp } from './app.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog } from './telemetry/log.ts';
import { startTracing, type Tracing } from './telemetry/tracing.ts';
import { existsSync } from 'node:fs';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const AWAKE_MS = 60_000;

/** Prints why the pod cannot start, and exits. */
function failStart(error: unknown): never {
  const reason = error instanceof ConfigError ? error.problems.join('\n') : String(error);
  process.stderr.write(`crosspod cannot start:\n${reason}\n`);
  process.exit(1);
}

/** Handles a signal before the pod runs. Without a listener, process 1 of a container would ignore it. */
function exitEarly(): never {
  process.exit(0);
}

async function main(): Promise<void> {
  const earlierListeners = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
  for (const signal of SIGNALS) process.on(signal, exitEarly);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  const { LOG_LEVEL: level, LOG_FORMAT, SHUTDOWN_TIMEOUT_SECONDS } = config.values;
  const format = LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json');
  let tracing: Tracing | undefined;
  const log = await createLog({ level, format, fields: () => tracing?.logFields() ?? {} });
  tracing = await startTracing(process.env, log);
  // A provider that was loaded earlier would end at the signal and not trace the drain. The pod shuts it down last.
  if (tracing?.isTakenOver)
    for (const [signal, listeners] of earlierListeners)
      for (const listener of listeners) process.off(signal, listener);
  const app = await createApp(config, log, {
    tracer: tracing?.tracer,
    end: (reason) => lifecycle.end(reason),
  });
  const lifecycle = new Lifecycle({
    app,
    log,
    timeoutMs: SHUTDOWN_TIMEOUT_SECONDS * 1_000,
    afterStop: async () => tracing?.stop(),
    exit: (code) => process.exit(code),
  });
  for (const signal of SIGNALS) process.off(signal, exitEarly).on(signal, lifecycle.signalled);
  process.on('uncaughtException', lifecycle.crashed);
  // Until the servers listen, possibly nothing else keeps the process alive.
  const awake = setInterval(() => undefined, AWAKE_MS);
  await app.start();
  clearInterval(awake);
}

main().catch(failStart);
