import { type Figure, counter, gauge } from './figures.ts';
import { type ELDHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the event loop is looked at: each look wakes the process. */
const RESOLUTION_MS = 50;
const NS_PER_SECOND = 1e9;
const US_PER_SECOND = 1e6;

/**
 * What the process uses, under the names that every Prometheus client gives these. Written here because prom-client's
 * own file for the CPU loads OpenTelemetry.
 */
export function processFigures(): Figure[] {
  const cpu = (read: (usage: NodeJS.CpuUsage) => number) => () => read(process.cpuUsage()) / US_PER_SECOND;
  const startedAt = Date.now() / 1_000 - process.uptime();
  return [
    counter(
      'process_cpu_user_seconds_total',
      'CPU time spent in the program.',
      cpu(({ user }) => user),
    ),
    counter(
      'process_cpu_system_seconds_total',
      'CPU time spent in the kernel for it.',
      cpu(({ system }) => system),
    ),
    counter(
      'process_cpu_seconds_total',
      'CPU time, both together.',
      cpu(({ user, system }) => user + system),
    ),
    gauge('process_start_time_seconds', 'When the process began, in seconds since 1970.', () => startedAt),
    gauge('process_resident_memory_bytes', 'Memory held by the process.', () => process.memoryUsage.rss()),
    gauge('nodejs_heap_size_total_bytes', 'Size of the heap.', () => process.memoryUsage().heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Part of the heap in use.', () => process.memoryUsage().heapUsed),
    gauge(
      'nodejs_external_memory_bytes',
      'Memory of buffers and the like outside of the heap.',
      () => process.memoryUsage().external,
    ),
  ];
}

/** How much later than it should the event loop came round since the last scrape. It is watched from now on. */
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
      `Lag of the event loop since the last scrape, ${long}.`,
      () => lagOf(read(delays)),
    ),
  );
  return { figures, reset: () => delays.reset() };
}

/** What is measured is the time between two looks, which is the resolution where nothing lags. */
function lagOf(ns: number): number {
  return Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / 1_000);
}
