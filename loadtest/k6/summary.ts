import type { Settings } from './settings.ts';

interface Metric {
  readonly type: string;
  readonly values: Readonly<Record<string, number>>;
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
}

/** What k6 hands to `handleSummary`. */
interface Data {
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly state: { readonly testRunDurationMs: number };
}

type Figures = Readonly<Record<string, number>>;

/** `handleSummary` of a script: a short text, and JSON where `SUMMARY` says. `more` are figures made of others. */
export function summaryOf(
  script: string,
  { summary }: Settings,
  more: (metrics: Data['metrics']) => Figures = () => ({}),
) {
  return (data: Data): Record<string, string> => {
    const failed = failures(data);
    const figures = more(data.metrics);
    const seconds = data.state.testRunDurationMs / 1_000;
    const whole = { script, passed: failed.length === 0, failed, seconds, figures, metrics: data.metrics };
    const text = [
      '',
      `${script}: ${failed.length === 0 ? 'passed' : 'FAILED'} after ${seconds.toFixed(1)} s`,
      ...Object.keys(data.metrics)
        .sort()
        .flatMap((name) => line(name, data.metrics[name])),
      ...Object.entries(figures).map(([name, value]) => row(name, shown(value), true)),
      ...failed.map((one) => `  not held: ${one}`),
      '',
    ];
    const json = summary === undefined ? {} : { [summary]: `${JSON.stringify(whole, null, 2)}\n` };
    return { stdout: text.join('\n'), ...json };
  };
}

function failures({ metrics }: Data): string[] {
  return Object.entries(metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([threshold]) => `${name} ${threshold}`),
  );
}

/** k6’s own metrics are in the JSON; here they are only noise, unless something depends on them. */
const OWN = /^(data_|http_|iteration|vus|ws_|group_)/;

function line(name: string, metric: Metric | undefined): string[] {
  if (metric === undefined) return [];
  const { type, values, thresholds } = metric;
  if (thresholds === undefined && OWN.test(name)) return [];
  const isHeld = Object.values(thresholds ?? {}).every(({ ok }) => ok);
  return [row(name, figuresOf(type, values), isHeld)];
}

function row(name: string, text: string, isHeld: boolean): string {
  return `  ${isHeld ? ' ' : '✗'} ${name.padEnd(34)} ${text}`;
}

function figuresOf(type: string, values: Figures): string {
  const the = (name: string): string => shown(values[name] ?? Number.NaN);
  if (type === 'counter') return the('count');
  if (type === 'gauge') return the('value');
  if (type === 'rate')
    return `${the('passes')} of ${shown((values['passes'] ?? 0) + (values['fails'] ?? 0))}`;
  return `med ${the('med')}, p95 ${the('p(95)')}, p99 ${the('p(99)')}, max ${the('max')}`;
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '–';
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}
