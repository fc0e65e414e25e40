import { Counter, Gauge } from 'prom-client';

/** Metrics that hold nothing: they read a number that is counted elsewhere whenever they are scraped. */

export function gauge(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name,
    help,
    registers: [],
    collect() {
      this.set(read());
    },
  });
}

export function counter(name: string, help: string, read: () => number): Counter {
  return new Counter({
    name,
    help,
    registers: [],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** A counter with one label, a row for each of its values. */
export function counters(
  name: string,
  help: string,
  label: string,
  rows: ReadonlyMap<string | number, number>,
): Counter {
  return new Counter({
    name,
    help,
    labelNames: [label],
    registers: [],
    collect() {
      this.reset();
      for (const [value, number] of rows) this.inc({ [label]: value }, number);
    },
  });
}
