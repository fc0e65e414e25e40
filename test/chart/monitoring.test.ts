import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { deployed, labels, selector } from './deployments.ts';
import { CHART, find, render } from './helm.ts';
import { metricTypes } from '../support/metric-names.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

const HISTOGRAM_PARTS = /_(bucket|sum|count)$/;
const PODS = 'namespace="n",pod=~"r-crosspod-[a-z0-9]+-[a-z0-9]{5}"';
const dashboardText = readFileSync(join(CHART, 'dashboards/crosspod.json'), 'utf8');
const dashboard = JSON.parse(dashboardText) as {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string; readonly allValue?: string }[];
  };
};

let types: Map<string, string>;
let alerts: readonly Alert[];

beforeAll(async () => {
  types = await metricTypes();
  const rule = find(await deployed('prometheus-operator'), 'PrometheusRule', 'r-crosspod');
  alerts = rule['spec'].groups[0].rules as Alert[];
});

/** What a query asks for although no pod exports it. A histogram is exported in parts. */
function unknownIn(query: string): string[] {
  const names = query.match(/\b(?:realtime|process|nodejs)_\w+/g) ?? [];
  return names.filter((name) => {
    const whole = name.replace(HISTOGRAM_PARTS, '');
    return !types.has(name) && !(HISTOGRAM_PARTS.test(name) && types.get(whole) === 'histogram');
  });
}

/** Metrics whose rate is asked for although they do not only grow. */
function ratesOfGauges(query: string): string[] {
  const names = [...query.matchAll(/\b(?:rate|increase)\((\w+)/g)].map(([, name = '']) => name);
  return names.filter((name) => (types.get(name.replace(/_bucket$/, '')) ?? 'none') === 'gauge');
}

test('a ServiceMonitor finds the Service of the operators', async () => {
  const monitor = find(await deployed('prometheus-operator'), 'ServiceMonitor', 'r-crosspod');
  expect(monitor).toEqual({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'ServiceMonitor',
    metadata: {
      name: 'r-crosspod',
      namespace: 'n',
      labels: { ...labels('gateway'), release: 'prometheus' },
    },
    spec: {
      selector: { matchLabels: selector('ops') },
      endpoints: [{ port: 'ops', path: '/metrics', interval: '30s' }],
    },
  });
});

test('a PodMonitor finds the pods', async () => {
  const monitor = find(await deployed('pod-monitor'), 'PodMonitor', 'r-crosspod');
  expect(monitor).toEqual({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: {
      name: 'r-crosspod',
      namespace: 'n',
      labels: { ...labels('gateway'), release: 'prometheus' },
    },
    spec: {
      selector: { matchLabels: selector('gateway') },
      podMetricsEndpoints: [{ port: 'ops', path: '/metrics', interval: '15s' }],
    },
  });
});

test('pods tell where to look by annotations, unless a monitor does', async () => {
  const annotations = async (monitoring: object): Promise<unknown> =>
    find(await render({ monitoring }), 'Deployment', 'r-crosspod')['spec'].template.metadata.annotations?.[
      'prometheus.io/scrape'
    ];
  expect(await annotations({})).toBe('true');
  expect(await annotations({ serviceMonitor: { enabled: true } })).toBeUndefined();
  expect(await annotations({ podMonitor: { enabled: true } })).toBeUndefined();
  expect(await annotations({ scrapeAnnotations: false })).toBeUndefined();
});

describe('the alerts', () => {
  test('are of one group, where the operator finds them', async () => {
    const rule = find(await deployed('prometheus-operator'), 'PrometheusRule', 'r-crosspod');
    expect(rule.apiVersion).toBe('monitoring.coreos.com/v1');
    expect(rule.metadata.labels).toEqual({ ...labels('gateway'), release: 'prometheus' });
    expect(rule['spec'].groups).toEqual([{ name: 'r-crosspod', rules: alerts }]);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  test('are all that the chart’s file has, each with a name, a severity and what to do', () => {
    const file = readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8');
    expect(alerts.map(({ alert }) => alert)).toEqual(
      [...file.matchAll(/^ +- alert: (\w+)$/gm)].map(([, name]) => name),
    );
    for (const one of alerts) {
      expect(one.alert).toMatch(/^Crosspod[A-Z]\w+$/);
      expect(['warning', 'critical']).toContain(one.labels.severity);
      expect(one.for ?? '1m').toMatch(/^\d+[sm]$/);
      expect(one.annotations).toEqual({
        summary: expect.stringMatching(/\.$/),
        description: expect.stringMatching(/\.$|[A-Z_]+\.$/),
      });
    }
  });

  test('have nothing left to be put in, and look at the pods of this release alone', () => {
    const text = JSON.stringify(alerts);
    expect(text).not.toContain('namespace=~');
    const claims = 'namespace="n",persistentvolumeclaim=~"data-r-crosspod-redis-[0-9]+"';
    for (const { expr } of alerts) {
      const metrics = expr.match(/(?:realtime|kubelet)_\w+(?=\{)/g) ?? [];
      expect(metrics.length).toBeGreaterThan(0);
      expect(expr.split(expr.includes('kubelet') ? `{${claims}}` : `{${PODS}`)).toHaveLength(
        metrics.length + 1,
      );
    }
  });

  test('know the limits that are set, and the usual ones otherwise', async () => {
    const text = JSON.stringify(alerts);
    expect(text).toContain('/ 20000 > 0.9');
    expect(text).toContain('/ 0 > 0.5');
    const monitoring = { prometheusRule: { enabled: true } };
    const usual = JSON.stringify(find(await render({ monitoring }), 'PrometheusRule', 'r-crosspod'));
    expect(usual).toContain('/ 10000 > 0.9');
    expect(usual).toContain('/ 10000 > 0.5');
    const settings = { MAX_CONNECTIONS: 1_000_000, PUBLISH_BUFFER_MESSAGES: null };
    const large = JSON.stringify(
      find(await render({ monitoring, settings }), 'PrometheusRule', 'r-crosspod'),
    );
    expect(large).toContain('/ 1000000 > 0.9');
    expect(large).toContain('/ 10000 > 0.5');
  });

  test('have the thresholds of the values, which are those of the file, and are off where there is none', async () => {
    const rulesWith = async (thresholds: object): Promise<Alert[]> => {
      const monitoring = { prometheusRule: { enabled: true, thresholds } };
      return find(await render({ monitoring }), 'PrometheusRule', 'r-crosspod')['spec'].groups[0].rules;
    };
    const file = parse(readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8')).groups[0].rules as Alert[];
    const endOf = ({ expr }: Alert): string => / [<>] [\d.]+$/.exec(expr)?.[0] ?? '';
    const usual = await rulesWith({});
    expect(usual.map(endOf)).toEqual(file.map(endOf));
    for (const rule of usual) {
      const other = (await rulesWith({ [rule.alert]: 0.123 })).find(({ alert }) => alert === rule.alert);
      expect(other?.expr).toBe(rule.expr.replace(/[\d.]+$/, '0.123'));
      const others = await rulesWith({ [rule.alert]: null });
      expect(others.map(({ alert }) => alert)).toEqual(
        usual.map(({ alert }) => alert).filter((alert) => alert !== rule.alert),
      );
    }
  });

  test('ask for metrics that there are, and for rates of those that only grow', () => {
    expect(alerts.flatMap(({ expr }) => [...unknownIn(expr), ...ratesOfGauges(expr)])).toEqual([]);
  });
});

describe('the dashboard', () => {
  test('is in a ConfigMap that Grafana’s sidecar finds, as it is in the chart', async () => {
    const map = find(await deployed('prometheus-operator'), 'ConfigMap', 'r-crosspod-dashboard');
    expect(map.metadata.labels).toEqual({ ...labels('dashboard'), release: 'r', grafana_dashboard: '1' });
    expect(map['data']).toEqual({ 'crosspod.json': dashboardText });
  });

  test('asks for metrics that there are, and for rates of those that only grow', () => {
    const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(queries.length).toBeGreaterThan(20);
    expect(queries.flatMap((expr) => [...unknownIn(expr), ...ratesOfGauges(expr)])).toEqual([]);
    expect(dashboard.templating.list.flatMap(({ query }) => unknownIn(query))).toEqual([]);
  });

  test('asks for the chosen namespace, pods and source, whatever it shows', () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'pod']);
    for (const { expr, datasource } of dashboard.panels.flatMap(({ targets = [] }) => targets)) {
      expect(datasource.uid).toBe(`\${datasource}`);
      const metrics = expr.match(/\b(?:realtime|process|nodejs)_\w+/g) ?? [];
      expect(expr.split('{namespace="$namespace",pod=~"$pod"}')).toHaveLength(metrics.length + 1);
      // Once, also where two jobs scrape it.
      expect(expr.split('max by (pod, code, half, hook, le, of, reason, result, status) (')).toHaveLength(
        metrics.length + 1,
      );
    }
  });

  test('takes for all pods those of Crosspod, not of everybody in the namespace', () => {
    expect(dashboard.templating.list.map(({ allValue }) => allValue)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('has panels that neither share an id nor lie on each other', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
