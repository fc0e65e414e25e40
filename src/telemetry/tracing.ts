import type { Log } from '../core/ports/log.ts';
import type { Tracer } from '../core/ports/tracer.ts';

/** A pod's tracing while it runs. */
export interface Tracing {
  readonly tracer: Tracer;
  /** What a log line that is written now carries: `trace_id` and `span_id` within a sampled span, else nothing. */
  readonly logFields: () => object;
  /** Whether it was there before the pod was; then whatever would end it at a signal is the pod's to end. */
  readonly isTakenOver: boolean;
  /** Sends what is left, for five seconds at most; never raises. */
  stop(): Promise<void>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Starts OpenTelemetry where the environment names a receiver, as OpenTelemetry defines its `OTEL_*` variables; else
 * nothing of it is loaded. Only traces are sent: metrics are scraped, and logs are on standard output. The other
 * variables the SDK reads from the environment of the process.
 */
export async function startTracing(env: Env, log: Log): Promise<Tracing | undefined> {
  if (namesConsole(env))
    log.warn({}, 'OTEL_TRACES_EXPORTER: console is left out, for standard output is the log');
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

/** Those that OTEL_TRACES_EXPORTER names, but for the one that writes to the console; none: the default. */
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
