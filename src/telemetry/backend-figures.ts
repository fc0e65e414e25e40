import type { Delays } from '../core/base/tally.ts';
import type { Figure, Histogram } from './figures.ts';

/** What the operator's backend was asked, by event and result. */
export interface AskedFigures {
  readonly requests: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly seconds: Delays;
}

export function backendRequests({ requests }: AskedFigures): Figure {
  return {
    type: 'counter',
    name: 'realtime_backend_requests',
    help: 'Questions to the backend, by event and result.',
    rows: () =>
      Array.from(requests, ([event, results]) =>
        Array.from(results, ([result, value]) => ({ labels: { event, result }, value })),
      ).flat(),
  };
}

export function backendSeconds({ seconds: delays }: AskedFigures): Histogram {
  const help = 'Time from sending a question to the backend until it was answered or given up.';
  return { name: 'realtime_backend_seconds', help, delays };
}
