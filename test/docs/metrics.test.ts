import { expect, test } from 'vitest';
import {
  directingFigures,
  hookFigures,
  redisFigures,
  webhookFigures,
} from '../../src/telemetry/part-figures.ts';
import { TestPod } from '../support/test-pod.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { readFileSync } from 'node:fs';

test('docs/operations.md tells of every metric, and of no other', async () => {
  const hooks = { replaced: 0, suppressed: 0, refused: new Map(), failed: new Map() };
  const webhooks = { reported: 0, dropped: new Map(), retries: 0, waiting: 0 };
  const redis = {
    backbone: { link: { up: true, losses: 0 }, subscriptions: { up: true, revivals: 0 } },
    broker: { waiting: 0, failures: 0 },
  };
  const directing = {
    watermarks: { memory: false, eventLoop: false },
    drain: { progress: 0 },
    rebalance: { moved: 0 },
  };
  const extra = [
    ...hookFigures(hooks),
    ...webhookFigures(webhooks),
    ...redisFigures(redis),
    ...directingFigures(directing),
  ];
  const scraped = await createMetrics(new TestPod().pod, extra).render();
  const names = [...scraped.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
  const document = readFileSync('docs/operations.md', 'utf8');
  const told = [...document.matchAll(/`((?:realtime|process|nodejs)_\w+)`/g)].map(([, name]) => name);
  expect(new Set(told)).toEqual(new Set(names));
});
