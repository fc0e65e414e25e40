import { beforeEach, expect, test, vi } from 'vitest';

/** What each metric has got, by its name and each of its tags; the parts of k6 that the scripts use before anybody begins. */
const sinks = vi.hoisted(() => new Map<string, { type: string; values: number[] }>());

vi.mock('k6/metrics', () => {
  const metric = (type: string) =>
    class {
      readonly name: string;
      constructor(name: string) {
        this.name = name;
      }
      add(value: number, tags: Readonly<Record<string, string>> = {}): void {
        const parts = Object.entries(tags).map(([tag, of]) => `${this.name}{${tag}:${of}}`);
        for (const part of [this.name, ...parts]) {
          const sink = sinks.get(part) ?? { type, values: [] };
          sinks.set(part, sink);
          sink.values.push(value);
        }
      }
    };
  return { Counter: metric('counter'), Gauge: metric('gauge'), Trend: metric('trend') };
});
vi.mock('k6', () => ({ check: () => true }));
vi.mock('k6/execution', () => ({ default: { test: { abort: () => undefined }, scenario: {} } }));
vi.mock('k6/http', () => {
  const get = () => ({ status: 200, body: '{"pod":"a"}' });
  return { default: { get, expectedStatuses: () => undefined, CookieJar: Map } };
});
vi.mock('k6/timers', () => ({}));
vi.mock('k6/websockets', () => ({}));
vi.mock('k6/crypto', () => ({}));
vi.mock('k6/encoding', () => ({ default: {} }));

interface Script {
  readonly options: { readonly thresholds: Readonly<Record<string, readonly string[]>> };
  setup(): unknown;
}

/** As k6 judges: what has no sample is passed over. */
function crossed(name: string, threshold: string): boolean {
  const sink = sinks.get(name);
  const [, operator, bound] = /^\w+(==|>|<)([\d.]+)$/.exec(threshold) ?? [];
  if (sink === undefined || operator === undefined) return false;
  const { type, values } = sink;
  const value = type === 'counter' ? values.reduce((sum, one) => sum + one, 0) : (values.at(-1) ?? 0);
  if (operator === '==') return value !== Number(bound);
  return operator === '>' ? value <= Number(bound) : value >= Number(bound);
}

beforeEach(() => {
  vi.resetModules();
  sinks.clear();
});

test.each([
  ['smoke', ['accounted']],
  ['fanout', ['accounted', 'on_pod{pod:0}', 'received', 'received{way:other}']],
  ['storm', ['accounted', 'received', 'reconnects']],
  ['soak', ['accounted', 'received', 'latency_slope_ms_per_hour']],
  ['presence', ['accounted', 'presence_told']],
  ['connections', ['opened', 'refused{status:503}']],
])('%s.ts of which every iteration broke off at once is red', async (name, expected) => {
  const env = { VUS: '4', ROOMS: '2', CONNECTIONS: '9', CAP: '5', DRAIN_URL: 'http://a:1' };
  vi.stubGlobal('__ENV', env);
  const script = (await import(`../../loadtest/k6/${name}.ts`)) as Script;
  script.setup();
  const red = Object.entries(script.options.thresholds)
    .filter(([metric, thresholds]) => thresholds.some((one) => crossed(metric, one)))
    .map(([metric]) => metric);
  expect(red).toEqual(expect.arrayContaining(expected));
});
