import { DELAY_BOUNDS_MS, type Delays } from '../core/base/tally.ts';
import type { Sample, ScrapedMetric } from 'prom-client/lib/registry.js';

/** No label may hold a room, a user or an id: their number is unbounded. */
export interface Row {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A metric whose values are counted elsewhere and read at each scrape: with `read` one value, with `rows` one for each
 * combination of labels.
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

/**
 * A counter with one label. The `known` values of the label begin at 0: Prometheus does not count the first sample of a
 * series as an increase, so an alert would miss the first event.
 */
export function counters<Key extends string | number>(
  name: string,
  help: string,
  label: string,
  table: ReadonlyMap<Key, number>,
  known: readonly NoInfer<Key>[] = [],
): Figure {
  const zeros = known.map((key) => [key, 0] as const);
  const rows = (): Row[] =>
    Array.from(new Map([...zeros, ...table]), ([key, value]) => ({ labels: { [label]: key }, value }));
  return { type: 'counter', name, help, rows };
}

/** The members of a string union, for `counters`. The type of the record ensures that none is missing. */
export function namesOf<Name extends string>(names: Readonly<Record<Name, true>>): Name[] {
  return Object.keys(names) as Name[];
}

export function scrape(figure: Figure): ScrapedMetric {
  const { name, help, type } = figure;
  const values = 'read' in figure ? [{ labels: {}, value: figure.read() }] : [...figure.rows()];
  return { name, help, type, values };
}

/** Delays that are counted elsewhere. */
export interface Histogram {
  readonly name: string;
  readonly help: string;
  readonly delays: Delays;
}

/** A histogram in seconds. Each bucket counts the delays at or below its bound. */
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
