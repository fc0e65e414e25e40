import { DELAY_BOUNDS_MS, type Delays } from '../core/tally.ts';
import type { Sample, ScrapedMetric } from 'prom-client/lib/registry.js';

/** No label may hold a room, a user or an id: their number is not bounded. */
export interface Row {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A metric that holds nothing: it reads numbers that are counted elsewhere whenever it is scraped. With `read` it is
 * one number, with `rows` one for each combination of labels.
 */
export type Figure = About & ({ readonly read: () => number } | { readonly rows: () => Iterable<Row> });

interface About {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
}

export function gauge(name: string, help: string, read: () => number): Figure {
  return { type: 'gauge', name, help, read };
}

export function counter(name: string, help: string, read: () => number): Figure {
  return { type: 'counter', name, help, read };
}

/** A counter with one label, a row for each of its values. */
export function counters(
  name: string,
  help: string,
  label: string,
  table: ReadonlyMap<string | number, number>,
): Figure {
  const rows = (): Row[] => Array.from(table, ([key, value]) => ({ labels: { [label]: key }, value }));
  return { type: 'counter', name, help, rows };
}

export function scrape(figure: Figure): ScrapedMetric {
  const { name, help, type } = figure;
  const values = 'read' in figure ? [{ labels: {}, value: figure.read() }] : [...figure.rows()];
  return { name, help, type, values };
}

/** Delays as a histogram in seconds: each bucket counts what is at or below its bound. */
export function scrapeDelays(name: string, help: string, { counts, sumMs }: Delays): ScrapedMetric {
  let total = 0;
  const bucket = (le: number | string, count = 0): Sample => {
    total += count;
    return { metricName: `${name}_bucket`, labels: { le }, value: total };
  };
  const values = DELAY_BOUNDS_MS.map((bound, index) => bucket(bound / 1_000, counts[index]));
  values.push(bucket('+Inf', counts[DELAY_BOUNDS_MS.length]));
  values.push({ metricName: `${name}_sum`, labels: {}, value: sumMs / 1_000 });
  values.push({ metricName: `${name}_count`, labels: {}, value: total });
  return { name, help, type: 'histogram', values };
}
