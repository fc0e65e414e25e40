import exec from 'k6/execution';
import { exactlyOnce, optionsFor } from './options.ts';
import { type Plan, planOf, secondsOf } from './plan.ts';
import { readSettings } from './settings.ts';
import { summaryOf } from './summary.ts';
import { Talk } from './talk.ts';
import { judge } from './judged.ts';

const settings = readSettings(__ENV, { MIN_PODS: '2' });

const thresholds = exactlyOnce(settings);

export const options = optionsFor(settings, {
  seconds: secondsOf(settings),
  thresholds,
});

export function setup(): Plan {
  judge(thresholds);
  return planOf(settings);
}

/** Every member of a room, on whichever pod, receives every message once and in order. */
export default function fanout(plan: Plan): void {
  new Talk(exec.scenario.iterationInTest, settings, plan).begin();
}

export const handleSummary = summaryOf('fanout', settings);
