import {
  loadControlFigures,
  engineFigures,
  hookFigures,
  natsFigures,
  redisFigures,
  rulesFigures,
  webhookFigures,
} from '../../src/telemetry/part-figures.ts';
import { backendRequests, backendSeconds } from '../../src/telemetry/backend-figures.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { TestPod } from './test-pod.ts';

/** Every metric of a pod that has all its parts, by name: counter, gauge, histogram. */
export async function metricTypes(): Promise<Map<string, string>> {
  const hooks = { replaced: 0, suppressed: 0, refused: new Map(), failed: new Map() };
  const queue = { reported: 0, dropped: new Map(), retries: 0, waiting: 0 };
  const redis = {
    placement: { up: true, subscribed: true, losses: 0, revivals: 0 },
    broker: { waiting: 0, failures: 0 },
  };
  const nats = {
    backbone: { link: { up: true, losses: 0 }, probe: { revivals: 0 } },
    broker: { waiting: 0, failures: 0 },
  };
  const directing = {
    watermarks: { memory: false, eventLoop: false },
    drain: { progress: 0 },
    rebalance: { moved: 0 },
  };
  const backend = { requests: new Map(), seconds: { counts: [], sumMs: 0 } };
  const extra = [
    ...hookFigures(hooks),
    ...webhookFigures({ presence: queue, messages: queue }),
    backendRequests(backend),
    ...rulesFigures({ rules: 0, loadedAt: 0, failures: 0 }),
    ...engineFigures({ troubles: () => [] }),
    ...redisFigures(redis),
    // Both say that there are no errors of Redis.
    ...natsFigures(nats).filter(({ name }) => !name.startsWith('realtime_redis')),
    ...loadControlFigures(directing),
  ];
  const scraped = await createMetrics(new TestPod().pod, extra, [backendSeconds(backend)]).render();
  return new Map(
    [...scraped.matchAll(/^# TYPE (\w+) (\w+)/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}
