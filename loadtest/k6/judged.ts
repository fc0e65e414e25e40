import type { Counter, Gauge } from 'k6/metrics';
import * as figures from './figures.ts';
import type { Thresholds } from './options.ts';

const counters: Readonly<Record<string, Counter>> = {
  accounted: figures.accounted,
  lost: figures.lost,
  repeated: figures.repeated,
  disordered: figures.disordered,
  unacked: figures.unacked,
  unrecovered: figures.unrecovered,
  errors: figures.errors,
  late: figures.late,
  unaccounted: figures.unaccounted,
  on_pod: figures.onPod,
  received: figures.received,
  reconnects: figures.reconnects,
  presence_told: figures.presenceTold,
  presence_wrong: figures.presenceWrong,
  opened: figures.opened,
  refused: figures.refused,
  refused_wrongly: figures.refusedWrongly,
};
const gauges: Readonly<Record<string, Gauge>> = {
  bytes_per_connection: figures.bytesPerConnection,
  memory_slope_mb_per_hour: figures.memorySlope,
  latency_slope_ms_per_hour: figures.latencySlope,
};

/**
 * To be called in `setup`. k6 passes over a threshold whose metric has no sample, so that a script of which every
 * iteration broke off would end green. So each that is judged gets a sample at the start: a counter 0, a gauge a number
 * below no bound. Trends get none, which would count among theirs: beside each stands a counter that must be above 0.
 */
export function judge(thresholds: Thresholds): void {
  for (const judged of Object.keys(thresholds)) {
    const [, name = '', tag, value = ''] = /^(\w+)(?:\{(\w+):(\w+)\})?$/.exec(judged) ?? [];
    const tags = tag === undefined ? {} : { [tag]: value };
    counters[name]?.add(0, tags);
    gauges[name]?.add(Number.MAX_SAFE_INTEGER, tags);
  }
}
