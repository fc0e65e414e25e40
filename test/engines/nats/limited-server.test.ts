import { degraded, eventually, podOn, SLOW } from '../../faults/world.ts';
import { expect, test } from 'vitest';
import { natsOf } from './world.ts';
import { readFileSync } from 'node:fs';

test(
  'A server with a duplicate window below five minutes is unavailable, with the reason that docs/platform/nats.md quotes',
  SLOW,
  async () => {
    const nats = await natsOf({ limits: ['duplicate_window: "1m"'] });
    const pod = await podOn(nats);
    const reason = 'duplicates window can not be larger then server limit of';
    await eventually('the reason', () => pod.output().includes(`"reason":"${reason} 1m0s"`));
    await degraded(pod);
    const docs = readFileSync('docs/platform/nats.md', 'utf8');
    expect(docs).toContain(`\`${reason} …\``);
  },
);
