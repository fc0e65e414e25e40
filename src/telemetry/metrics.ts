import { counter, counters, gauge } from './figures.ts';
import type { Pod } from '../core/pod.ts';
import { Registry } from 'prom-client';

/** A pod's metrics in the Prometheus text format 0.0.4. */
export interface Metrics {
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/**
 * The figures are counted in the core as plain numbers and read here when somebody asks. The names are the seeds',
 * `_total` on a gauge included. No label holds a room, a user or an id.
 */
export function createMetrics({ hub, tally }: Pod): Metrics {
  const registry = new Registry();
  for (const metric of [
    gauge('realtime_connections_total', 'Open connections on this pod.', () => hub.connectionCount),
    gauge('realtime_rooms_total', 'Rooms with a member on this pod.', () => hub.roomCount),
    counter('realtime_messages_sent', 'Frames delivered to sockets.', () => tally.sent),
    counter('realtime_messages_received', 'Frames received from clients.', () => tally.received),
    counter('realtime_redis_publish_errors', 'Publications that Redis did not take.', () => 0),
    counters('realtime_messages_dropped', 'Messages not delivered, by reason.', 'reason', tally.dropped),
    counters('realtime_closes', 'Connections closed, by close code.', 'code', tally.closed),
    counters('realtime_upgrades_refused', 'Upgrades refused, by reason.', 'reason', tally.refused),
    counters('realtime_recoveries', 'Recoveries from history, by result.', 'result', tally.recoveries),
  ]) {
    registry.registerMetric(metric);
  }
  return { contentType: registry.contentType, render: () => registry.metrics() };
}
