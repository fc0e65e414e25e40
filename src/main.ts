import { ConfigError, loadConfig } from './config.ts';
import { createApp } from './app.ts';
import { Lifecycle } from './lifecycle.ts';
import { createLog } from './telemetry/log.ts';
import { startTracing, type Tracing } from './telemetry/tracing.ts';
import { existsSync } from 'node:fs';

/** Ends the process with the reason on standard error, before any port is open. */
function giveUp(error: unknown): never {
  const reason = error instanceof ConfigError ? error.problems.join('\n') : String(error);
  process.stderr.write(`crosspod cannot start:\n${reason}\n`);
  process.exit(1);
}

async function main(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(process.env);
  const { LOG_LEVEL: level, LOG_FORMAT, SHUTDOWN_TIMEOUT_SECONDS } = config.values;
  const format = LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json');
  let tracing: Tracing | undefined;
  const log = await createLog({ level, format, fields: () => tracing?.logFields() ?? {} });
  tracing = await startTracing(process.env, log);
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
  await app.start();
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, lifecycle.signalled);
  process.on('uncaughtException', lifecycle.crashed);
}

main().catch(giveUp);
