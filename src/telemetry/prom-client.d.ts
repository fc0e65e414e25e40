/** The only file of prom-client that the gateway uses, and only the used part of it (see figures.ts). */
declare module 'prom-client/lib/registry.js' {
  export interface Sample {
    readonly metricName?: string;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly value: number;
  }

  export interface ScrapedMetric {
    readonly name: string;
    readonly help: string;
    readonly type: 'counter' | 'gauge' | 'histogram';
    readonly values: readonly Sample[];
  }

  export default class Registry {
    readonly contentType: string;
    registerMetric(metric: { readonly name: string; get(): Promise<ScrapedMetric> }): void;
    metrics(): Promise<string>;
  }
}
