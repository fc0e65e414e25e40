import type { Log } from '../core/ports/log.ts';
import type { Tracer } from '../core/ports/tracer.ts';

export interface Tracing {
  readonly tracer: Tracer;
  /** The fields of a log line that is written now: `trace_id` and `span_id` within a sampled span, else none. */
  readonly logFields: () => object;
  /**
   * Whether a provider was registered before the pod started. The pod then removes its signal listeners and ends it.
   */
  readonly isTakenOver: boolean;
  /** Sends the remaining spans, for five seconds at most. Never raises. */
  stop(): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Starts OpenTelemetry if an `OTEL_*` variable names a receiver; otherwise nothing of it is loaded. Only traces are
 * sent: metrics are scraped, and logs go to standard output. The SDK reads its other variables from the environment
 * itself.
 */
export async function startTracing(env: Env, log: Log): Promise<Tracing | undefined> {
  if (namesConsole(env))
    log.warn({}, 'OTEL_TRACES_EXPORTER: console is ignored, because standard output is the log');
  if (!isConfigured(env)) return undefined;
  const { openTelemetry } = await import('./open-telemetry.ts');
  return openTelemetry(env, log);
}

function isConfigured(env: Env): boolean {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || '';
  const disabled = env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true';
  const isOff =
    env['OTEL_TRACES_EXPORTER']?.trim() === 'none' || (namesConsole(env) && exportersOf(env).length === 0);
  return endpoint.trim() !== '' && !disabled && !isOff;
}

/** The exporters in OTEL_TRACES_EXPORTER except the console's. If the list is empty, the SDK uses its default. */
export function exportersOf(env: Env): readonly string[] {
  return namedExporters(env).filter((name) => name !== 'console');
}

function namesConsole(env: Env): boolean {
  return namedExporters(env).includes('console');
}

function namedExporters(env: Env): string[] {
  const names = (env['OTEL_TRACES_EXPORTER'] ?? '').split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}
