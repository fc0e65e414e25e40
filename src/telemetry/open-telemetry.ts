import { type DiagLogger, DiagLogLevel, diag, trace } from '@opentelemetry/api';
import { SpanTracer, activeSpanFields } from './span-tracer.ts';
import { Bucket } from '../core/rate-limit.ts';
import type { Log } from '../core/ports/log.ts';
import { NodeSDK } from '@opentelemetry/sdk-node';
import type { Tracing } from './tracing.ts';
import { readVersion } from '../version.ts';

const STOP_MS = 5_000;
/** A receiver that is away is away for every batch: it is said ten times, then once a minute. */
const LINES_PER_SECOND = 1 / 60;
const LINES_AT_ONCE = 10;
const LONGEST_LINE = 500;

type Env = Readonly<Record<string, string | undefined>>;

/** Starts the SDK; this file, and with it OpenTelemetry, is loaded only where tracing is configured. */
export function openTelemetry(env: Env, log: Log): Tracing {
  const level = DiagLogLevel[env['OTEL_LOG_LEVEL']?.toUpperCase() as keyof typeof DiagLogLevel];
  const say = (): void => {
    const options = { logLevel: level ?? DiagLogLevel.WARN, suppressOverrideMessage: true };
    diag.setLogger(sayTo(log), options);
  };
  // Where the environment names a level the SDK takes the console for its words, which would break lines of JSON.
  if (!env['OTEL_LOG_LEVEL']) say();
  const sdk = new NodeSDK({ ...serviceName(env), metricReaders: [], logRecordProcessors: [] });
  if (env['OTEL_LOG_LEVEL']) say();
  sdk.start();
  return {
    tracer: new SpanTracer(trace.getTracer('crosspod', readVersion())),
    logFields: activeSpanFields,
    stop: () => stop(sdk, log),
  };
}

function serviceName(env: Env): { serviceName?: string } {
  const named =
    env['OTEL_SERVICE_NAME'] || /(^|,)\s*service\.name\s*=/.test(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  return named ? {} : { serviceName: 'crosspod' };
}

async function stop(sdk: NodeSDK, log: Log): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STOP_MS} ms`)), STOP_MS);
  });
  await Promise.race([sdk.shutdown(), late]).catch((error: unknown) => {
    log.warn({ err: error }, 'the last traces could not be sent');
  });
  clearTimeout(timer);
}

/** What OpenTelemetry has to say about itself, as log lines. */
function sayTo(log: Log): DiagLogger {
  const lines = new Bucket(LINES_PER_SECOND, LINES_AT_ONCE, performance.now());
  const line =
    (level: keyof Log) =>
    (text: string): void => {
      if (lines.take(performance.now()) === 0) {
        log[level]({ component: 'opentelemetry' }, text.slice(0, LONGEST_LINE));
      }
    };
  return {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
    debug: line('debug'),
    verbose: line('debug'),
  };
}
