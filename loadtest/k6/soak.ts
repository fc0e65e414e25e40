import exec from 'k6/execution';
import { clearInterval, setInterval, setTimeout } from 'k6/timers';
import { Client, ownJar } from './client.ts';
import { latencySlope, memorySlope } from './figures.ts';
import { alone, exactlyOnce, optionsFor, type Thresholds } from './options.ts';
import { type Plan, planOf, secondsOf } from './plan.ts';
import { totals } from './pods.ts';
import { readSettings } from './settings.ts';
import { type Sample, slopePerHour } from './slope.ts';
import { summaryOf } from './summary.ts';
import { Talk } from './talk.ts';
import { judge } from './judged.ts';

const settings = readSettings(__ENV, { DURATION: '1h', RATE: '0.5', EVERY: '10s' });
const { duration, every, join, opsUrls } = settings;

const thresholds: Thresholds = {
  ...exactlyOnce(settings),
  latency_slope_ms_per_hour: [`value<${settings.latencySlope}`],
  ...(opsUrls.length > 0 ? { memory_slope_mb_per_hour: [`value<${settings.memorySlope}`] } : {}),
};

export const options = optionsFor(settings, {
  seconds: secondsOf(settings),
  thresholds,
  beside: { probe: alone('probe', join, duration) },
});

export function setup(): Plan {
  judge(thresholds);
  return planOf(settings);
}

/** For hours as for seconds: nothing is lost, and neither memory nor latency grows. */
export default function soak(plan: Plan): void {
  new Talk(exec.scenario.iterationInTest, settings, plan).begin();
}

/** Looks at the memory of the pods, and at how long a message of its own takes in a room of its own. */
export function probe({ run, publishUntil }: Plan): void {
  const room = `${run}-probe`;
  const memory: Sample[] = [];
  const latency: Sample[] = [];
  const client = new Client({
    settings,
    user: room,
    jar: ownJar(),
    watcher: {
      onMessage({ data }) {
        const at = Number(data?.['at']);
        latency.push({ at, value: Date.now() - at });
      },
    },
  });
  client.join(room);
  client.open();
  const looking = setInterval(() => {
    const at = Date.now();
    const found = totals(settings);
    if (found !== undefined) memory.push({ at, value: found.bytes / 1e6 });
    client.publish(room, { at: Date.now() });
  }, every * 1_000);
  setTimeout(() => {
    clearInterval(looking);
    client.close();
    // Too little to say anything fails: no number is below the bound.
    memorySlope.add(slopePerHour(memory) ?? Number.MAX_SAFE_INTEGER);
    latencySlope.add(slopePerHour(latency) ?? Number.MAX_SAFE_INTEGER);
  }, publishUntil - Date.now());
}

export const handleSummary = summaryOf('soak', settings);
