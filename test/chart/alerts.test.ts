import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { CHART, find, render } from './helm.ts';
import { requireProgram } from '../../scripts/requirements.ts';

/** Of which metrics, by name and own labels, what Prometheus fetched each minute (in promtool's notation). */
type Figures = Readonly<Record<string, string>>;

const PODS = ['r-crosspod-6d5f8c9b7-x2zvk', 'r-crosspod-6d5f8c9b7-abcde'];
const HOUR = 60;

/** What a pod exports on a good day. */
const HEALTHY: Figures = {
  'realtime_connections_total{}': `1000x${HOUR}`,
  'realtime_closes{code="1006"}': `0+60x${HOUR}`,
  'realtime_closes{code="1013"}': `0x${HOUR}`,
  'realtime_upgrades_refused{reason="rate_limited"}': `0x${HOUR}`,
  'realtime_overloaded{of="memory"}': `0x${HOUR}`,
  'realtime_redis_up{}': `1x${HOUR}`,
  'realtime_redis_subscribed{}': `1x${HOUR}`,
  'realtime_redis_publications_waiting{}': `0x${HOUR}`,
  'realtime_recoveries{result="recovered"}': `0+60x${HOUR}`,
  'realtime_recoveries{result="expired"}': `0x${HOUR}`,
  'realtime_recoveries{result="history_lost"}': `0x${HOUR}`,
  'realtime_history_lost{}': `0x${HOUR}`,
  'realtime_event_loop_lag_p99_seconds{}': `0.01x${HOUR}`,
  'realtime_auth_failures{reason="unavailable"}': `0x${HOUR}`,
  'realtime_messages_received{}': `0+6000x${HOUR}`,
  'realtime_rules_reload_failures{}': `0x${HOUR}`,
  'realtime_hook_failures{hook="onMessage"}': `0x${HOUR}`,
  'realtime_webhook_events{}': `0+60x${HOUR}`,
  'realtime_webhook_events_dropped{reason="gave_up"}': `0x${HOUR}`,
  'realtime_webhook_events_dropped{reason="stopped"}': `0x${HOUR}`,
  'realtime_webhook_messages{}': `0+60x${HOUR}`,
  'realtime_webhook_messages_dropped{reason="gave_up"}': `0x${HOUR}`,
  'realtime_webhook_messages_dropped{reason="stopped"}': `0x${HOUR}`,
};

/** For each alert figures of one pod that are its fault and no other's. */
const FAULTS: Readonly<Record<string, Figures>> = {
  CrosspodPodNearlyFull: { 'realtime_connections_total{}': `9500x${HOUR}` },
  CrosspodRefusesConnections: { 'realtime_upgrades_refused{reason="rate_limited"}': `0+20x${HOUR}` },
  CrosspodOverloaded: { 'realtime_overloaded{of="memory"}': `0x20 1x${HOUR}` },
  CrosspodRedisAway: { 'realtime_redis_up{}': `1x20 0x${HOUR}` },
  CrosspodRedisNotSubscribed: { 'realtime_redis_subscribed{}': `1x20 0x${HOUR}` },
  CrosspodNatsAway: { 'realtime_nats_up{}': `1x20 0x${HOUR}` },
  CrosspodPublicationsWaiting: { 'realtime_redis_publications_waiting{}': `0x20 6000x${HOUR}` },
  CrosspodMessagesNotRecovered: { 'realtime_recoveries{result="expired"}': `0x30 0+50x${HOUR}` },
  CrosspodHistoryWentBack: { 'realtime_history_lost{}': `0x38 1x${HOUR}` },
  CrosspodSlowReaders: { 'realtime_closes{code="1013"}': `0+10x${HOUR}` },
  CrosspodEventLoopSlow: { 'realtime_event_loop_lag_p99_seconds{}': `0.2x${HOUR}` },
  CrosspodKeysUnavailable: { 'realtime_auth_failures{reason="unavailable"}': `0x20 0+2x${HOUR}` },
  CrosspodRulesFaulty: { 'realtime_rules_reload_failures{}': `0x38 1x${HOUR}` },
  CrosspodHooksFail: { 'realtime_hook_failures{hook="onMessage"}': `0+120x${HOUR}` },
  CrosspodWebhookEventsDropped: { 'realtime_webhook_events_dropped{reason="gave_up"}': `0+2x${HOUR}` },
  CrosspodWebhookMessagesDropped: { 'realtime_webhook_messages_dropped{reason="gave_up"}': `0+2x${HOUR}` },
};

/** As two jobs scrape it, of which each adds its own labels. */
function seriesOf(pod: string, figures: Figures): object[] {
  return ['pods', 'services'].flatMap((job) =>
    Object.entries(figures).map(([metric, values]) => {
      const own = metric
        .slice(0, -1)
        .replace(/\{$/, '{')
        .replace(/([^{])$/, '$1,');
      return { series: `${own}namespace="n",cluster="c",pod="${pod}",job="${job}"}`, values };
    }),
  );
}

function pods(first: Figures, second: Figures = {}): object[] {
  const [one = '', other = ''] = PODS;
  return [...seriesOf(one, { ...HEALTHY, ...first }), ...seriesOf(other, { ...HEALTHY, ...second })];
}

/** Has promtool look at these series; which alerts fire is expected minute by minute. */
async function expectAlerts(
  series: readonly object[],
  expected: Readonly<Record<number, readonly string[]>>,
  cluster = 'cluster="c", ',
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-alerts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const rule = find(
    await render({ monitoring: { prometheusRule: { enabled: true } } }),
    'PrometheusRule',
    'r-crosspod',
  );
  writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: rule['spec'].groups }));
  const checks = Object.entries(expected).map(([minute, alerts]) => ({
    // A cluster's own alerts, of whichever pod, once each.
    expr: 'count by (alertname, namespace, cluster) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: alerts.map((alert) => ({
      labels: `{alertname="${alert}", ${cluster}namespace="n"}`,
      value: 1,
    })),
  }));
  const suite = {
    rule_files: ['rules.yaml'],
    evaluation_interval: '30s',
    tests: [{ interval: '1m', input_series: series, promql_expr_test: checks }],
  };
  writeFileSync(join(folder, 'suite.yaml'), stringify(suite));
  const { status, stdout, stderr } = spawnSync(requireProgram('promtool'), ['test', 'rules', 'suite.yaml'], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

const EVERY_MINUTE = Array.from({ length: HOUR - 1 }, (_, minute) => minute + 1);
const quiet = Object.fromEntries(EVERY_MINUTE.map((minute) => [minute, []]));

test('the file with the alerts is loadable as it stands', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-alerts-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(join(CHART, 'files/alerts.yaml'), join(folder, 'alerts.yaml'));
  const { status, stdout, stderr } = spawnSync(
    requireProgram('promtool'),
    ['check', 'rules', 'alerts.yaml'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  expect(status, `${stdout}${stderr}`).toBe(0);
});

describe('an alert fires on its own fault and keeps namespace and cluster:', () => {
  test.each(Object.entries(FAULTS))('%s', async (alert, figures) => {
    await expectAlerts(pods(figures), { 40: [alert] });
  });

  test('CrosspodAbsent, which cannot know the cluster', async () => {
    await expectAlerts([], { 10: ['CrosspodAbsent'] }, '');
  });

  test('CrosspodRedisVolumeNearlyFull', async () => {
    const volume = (what: string, values: string): object => ({
      series: `kubelet_volume_stats_${what}_bytes{namespace="n",cluster="c",persistentvolumeclaim="data-r-crosspod-redis-0"}`,
      values,
    });
    const series = [
      ...pods({}),
      volume('capacity', `1000x${HOUR}`),
      volume('available', `500x20 100x${HOUR}`),
    ];
    await expectAlerts(series, { 20: [], 40: ['CrosspodRedisVolumeNearlyFull'] });
  });

  test('all of them are tried', async () => {
    const rule = find(
      await render({ monitoring: { prometheusRule: { enabled: true } } }),
      'PrometheusRule',
      'r-crosspod',
    );
    const known = [...Object.keys(FAULTS), 'CrosspodAbsent', 'CrosspodRedisVolumeNearlyFull'];
    expect(rule['spec'].groups[0].rules.map(({ alert }: { alert: string }) => alert).toSorted()).toEqual(
      known.toSorted(),
    );
  });
});

describe('none fires', () => {
  test('on a good day', () => expectAlerts(pods({}), quiet));

  test('through a deploy: pods go, others come, and everybody moves and resumes', async () => {
    const [one = '', other = ''] = PODS;
    const gone = Object.fromEntries(
      Object.entries(HEALTHY).map(([metric, values]) => [metric, values.replace(/x\d+$/, 'x20 stale')]),
    );
    const leaving = {
      ...gone,
      'realtime_connections_total{}': '1000x18 500 0 stale',
      'realtime_closes{code="1012"}': '0x18 500 1000 stale',
      'realtime_webhook_events_dropped{reason="stopped"}': '0x19 3 stale',
    };
    const arriving = Object.fromEntries(
      Object.entries(HEALTHY).map(([metric, values]) => [metric, `_x18 ${values}`]),
    );
    const filling = {
      ...arriving,
      'realtime_connections_total{}': `_x18 500 1000x${HOUR}`,
      'realtime_recoveries{result="recovered"}': `_x18 500 1000x${HOUR}`,
      'realtime_upgrades_refused{reason="rate_limited"}': `_x18 0 20x${HOUR}`,
      'realtime_redis_up{}': `_x18 0 1x${HOUR}`,
    };
    await expectAlerts(
      [
        ...seriesOf(one, HEALTHY),
        ...seriesOf(other, leaving),
        ...seriesOf('r-crosspod-7c6d5f8b9-zzzzz', filling),
      ],
      quiet,
    );
  });

  test('when a process begins anew, and its counters with it', () =>
    expectAlerts(
      pods({
        'realtime_closes{code="1006"}': `0+60x30 0+60x30`,
        'realtime_recoveries{result="recovered"}': `0+60x30 0+60x30`,
        'realtime_recoveries{result="expired"}': `8x30 0x30`,
        'realtime_messages_received{}': `0+6000x30 0+6000x30`,
        'realtime_history_lost{}': `7x30 0x30`,
        'realtime_auth_failures{reason="unavailable"}': `40x30 0x30`,
        'realtime_upgrades_refused{reason="rate_limited"}': `90x30 0x30`,
      }),
      quiet,
    ));

  test('in an hour in which laptops wake up', () =>
    expectAlerts(pods({ 'realtime_recoveries{result="expired"}': `0+1x${HOUR}` }), quiet));

  test('when keys could not be fetched once', () =>
    expectAlerts(pods({ 'realtime_auth_failures{reason="unavailable"}': `0x20 5x${HOUR}` }), quiet));
});
