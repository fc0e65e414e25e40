import { ConfigError, loadConfig } from './config.ts';
import { createApp } from './app.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog } from './telemetry/log.ts';
import { startTracing, type Tracing } from './telemetry/tracing.ts';
import { existsSync } from 'node:fs';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const AWAKE_MS = 60_000;

/** Ends the process with the reason on standard error, before clients can connect. */
function giveUp(error: unknown): never {
  const reason = error instanceof ConfigError ? error.problems.join('\n') : String(error);
  process.stderr.write(`crosspod cannot start:\n${reason}\n`);
  process.exit(1);
}

/** There is nobody yet to whom it would matter; but process 1 of a container ignores what it does not listen to. */
function leave(): never {
  process.exit(0);
}

async function main(): Promise<void> {
  const earlier = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const);
  for (const signal of SIGNALS) process.on(signal, leave);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  const { LOG_LEVEL: level, LOG_FORMAT, SHUTDOWN_TIMEOUT_SECONDS } = config.values;
  const format = LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json');
  let tracing: Tracing | undefined;
  const log = await createLog({ level, format, fields: () => tracing?.logFields() ?? {} });
  tracing = await startTracing(process.env, log);
  // What was loaded before and traces would end with the signal, and the drain would not be traced: the pod ends it, last.
  if (tracing?.isTakenOver)
    for (const [signal, listeners] of earlier)
      for (const listener of listeners) process.off(signal, listener);
  const app = await createApp(config, log, {
    tracer: tracing?.tracer,
    end: (reason) => lifecycle.end(reason),
  });
  const lifecycle = new Lifecycle({
    app,
    log,
    timeoutMs: SHUTDOWN_TIMEOUT_SECONDS * 1_000,
    last: async () => tracing?.stop(),
    exit: (code) => process.exit(code),
  });
  for (const signal of SIGNALS) process.off(signal, leave).on(signal, lifecycle.signalled);
  process.on('uncaughtException', lifecycle.crashed);
  // Until the servers listen there may be nothing but timers that do not keep the process alive.
  const awake = setInterval(() => undefined, AWAKE_MS);
  await app.start();
  clearInterval(awake);
}

main().catch(giveUp);
