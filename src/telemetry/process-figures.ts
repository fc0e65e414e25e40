import { type Figure, counter, gauge } from './figures.ts';
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** The sampling interval of the event loop delay. Each sample wakes the process. */
const RESOLUTION_MS = 50;
const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;

/**
 * The resources of the process, under the names that all Prometheus clients use. prom-client has them too, but its file
 * for the CPU loads OpenTelemetry.
 */
export function processFigures(): Figure[] {
  const cpu = (read: (usage: NodeJS.CpuUsage) => number) => () => read(process.cpuUsage()) / US_PER_SECOND;
  const startedAt = Date.now() / 1_000 - process.uptime();
  return [
    counter(
      'process_cpu_user_seconds_total',
      'CPU time in user mode, in seconds.',
      cpu(({ user }) => user),
    ),
    counter(
      'process_cpu_system_seconds_total',
      'CPU time in the kernel, in seconds.',
      cpu(({ system }) => system),
    ),
    counter(
      'process_cpu_seconds_total',
      'CPU time in user mode and in the kernel, in seconds.',
      cpu(({ user, system }) => user + system),
    ),
    gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.', () => startedAt),
    gauge('process_resident_memory_bytes', 'Resident memory of the process, in bytes.', () =>
      process.memoryUsage.rss(),
    ),
    gauge(
      'nodejs_heap_size_total_bytes',
      'Size of the V8 heap, in bytes.',
      () => process.memoryUsage().heapTotal,
    ),
    gauge(
      'nodejs_heap_size_used_bytes',
      'Used part of the V8 heap, in bytes.',
      () => process.memoryUsage().heapUsed,
    ),
    gauge(
      'nodejs_external_memory_bytes',
      'Memory outside the V8 heap, such as buffers, in bytes.',
      () => process.memoryUsage().external,
    ),
  ];
}

/** The event loop lag since the last scrape. Begins to measure at once; `reset` begins the next interval. */
export function eventLoopFigures(): { figures: Figure[]; reset: () => void } {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  const figures = (
    [
      ['p50', 'median', (seen) => seen.percentile(50)],
      ['p99', '99th percentile', (seen) => seen.percentile(99)],
      ['max', 'longest', (seen) => seen.max],
    ] satisfies [string, string, (seen: ELDHistogram) => number][]
  ).map(([short, long, read]) =>
    gauge(
      `realtime_event_loop_lag_${short}_seconds`,
      `Event loop lag since the last scrape, ${long}, in seconds.`,
      () => lagOf(read(delays)),
    ),
  );
  return { figures, reset: () => delays.reset() };
}

/** The histogram measures the time between two samples, which is the resolution if nothing lags. */
function lagOf(ns: number): number {
  return Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1_000);
}
