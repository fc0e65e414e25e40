import exec from 'k6/execution';
import http from 'k6/http';
import { alone, exactlyOnce, optionsFor, type Thresholds } from './options.ts';
import { type Plan, planOf, secondsOf } from './plan.ts';
import { ASK } from './pods.ts';
import { readSettings } from './settings.ts';
import { summaryOf } from './summary.ts';
import { Talk } from './talk.ts';
import { judge } from './judged.ts';

/** As slow as lets the history of a room (100 messages) hold what is missed on the way back. */
const settings = readSettings(__ENV, {
  MIN_PODS: '2',
  ROOMS: '10',
  RATE: '0.5',
  DURATION: '60s',
  SETTLE: '30s',
  LATENCY_MS: '15000',
});
const { drainUrl, join, duration, recoveryMs } = settings;

const thresholds: Thresholds = {
  ...exactlyOnce(settings),
  // Without a storm the run says nothing.
  reconnects: ['count>0'],
  reconnected_ms: [`p(95)<${recoveryMs}`],
};

export const options = optionsFor(settings, {
  seconds: secondsOf(settings),
  thresholds,
  beside: drainUrl === undefined ? {} : { drain: alone('drain', join + duration / 3, 5) },
});

export function setup(): Plan {
  judge(thresholds);
  return planOf(settings);
}

/** A pod goes away while they talk: everybody is back on another one, and nothing is lost. */
export default function storm(plan: Plan): void {
  new Talk(exec.scenario.iterationInTest, settings, plan).begin();
}

export function drain(): void {
  const { status } = http.post(`${drainUrl}/drain`, null, { ...ASK, tags: { name: 'drain' } });
  if (status !== 202) exec.test.fail(`POST ${drainUrl}/drain was answered with ${status}`);
}

export const handleSummary = summaryOf('storm', settings, (metrics) => {
  const count = metrics['reconnects']?.values['count'] ?? 0;
  const { min = 0, max = 0 } = metrics['reconnected_at_s']?.values ?? {};
  // All within one second is as many in a second.
  return { reconnects_per_second: count / Math.max(1, max - min) };
});
