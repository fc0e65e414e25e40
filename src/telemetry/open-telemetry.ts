import { DiagLogLevel, type TracerProvider, diag, trace } from '@opentelemetry/api';
import { SpanTracer, activeSpanFields } from './span-tracer.ts';
import { diagLog } from './diag-log.ts';
import type { Log } from '../core/ports/log.ts';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { exportersOf, type Tracing } from './tracing.ts';
import { readVersion } from '../version.ts';

const STOP_MS = 5_000;

type Env = Readonly<Record<string, string | undefined>>;

/** Collects spans, and sends the remaining ones when it is shut down. */
interface Provider {
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * Starts the SDK. If a provider is already registered, as by `--import` of an instrumentation, uses that one, because a
 * second one cannot be registered. This file, and with it OpenTelemetry, is loaded only if tracing is configured.
 */
export function openTelemetry(env: Env, log: Log): Tracing {
  const level = DiagLogLevel[env['OTEL_LOG_LEVEL']?.toUpperCase() as keyof typeof DiagLogLevel];
  const options = { logLevel: level ?? DiagLogLevel.WARN, suppressOverrideMessage: true };
  diag.setLogger(diagLog(log), options);
  const earlier = earlierProvider();
  const provider = earlier ?? startSdk(env);
  return {
    tracer: new SpanTracer(trace.getTracer('crosspod', readVersion())),
    logFields: activeSpanFields,
    isTakenOver: earlier !== undefined,
    stop: () => stop(provider, log),
  };
}

/** The provider that was registered before; undefined if there is none. */
function earlierProvider(): Provider | undefined {
  const proxy: TracerProvider & { getDelegate?(): object } = trace.getTracerProvider();
  const provider = proxy.getDelegate?.() ?? proxy;
  // The no-op provider of the API has no `shutdown`.
  return 'shutdown' in provider ? (provider as Provider) : undefined;
}

/**
 * Starts the SDK, which reads its settings from the environment. OTEL_LOG_LEVEL and the console exporter would make it
 * write to standard output, which is the log, so the SDK does not see these.
 */
function startSdk(env: Env): NodeSDK {
  const names = ['OTEL_LOG_LEVEL', 'OTEL_TRACES_EXPORTER'] as const;
  const kept = names.map((name) => [name, process.env[name]] as const);
  for (const name of names) Reflect.deleteProperty(process.env, name);
  const exporters = exportersOf(env);
  if (exporters.length > 0) process.env['OTEL_TRACES_EXPORTER'] = exporters.join();
  try {
    const sdk = new NodeSDK({ ...serviceName(env), metricReaders: [], logRecordProcessors: [] });
    sdk.start();
    return sdk;
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}

function serviceName(env: Env): { serviceName?: string } {
  const named =
    env['OTEL_SERVICE_NAME'] || /(^|,)\s*service\.name\s*=/.test(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  return named ? {} : { serviceName: 'crosspod' };
}

async function stop(provider: Provider, log: Log): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${STOP_MS} ms`)), STOP_MS);
  });
  const sent = (async () => {
    await provider.forceFlush?.();
    await provider.shutdown();
  })();
  await Promise.race([sent, late]).catch((error: unknown) => {
    log.warn({ err: error }, 'the last traces could not be sent');
  });
  clearTimeout(timer);
}
