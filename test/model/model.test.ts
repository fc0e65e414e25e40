import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runModel } from './run.ts';
import { seedsOf, SETTINGS } from './settings.ts';
import { Summary } from './summary.ts';
import { VARIANTS } from './world.ts';

/**
 * Random clients on three pods and one Redis, with Sentinels, with a Redis Cluster, or NATS, while everything is broken
 * and mended, wholly and by half; then what every client saw is held against what docs/protocol.md promises. A few seeds
 * are played in every test run; README.md says how to play more.
 */
const RUN_MS = 300_000;

const summary = new Summary();
afterAll(() => summary.print());

for (const variant of VARIANTS) {
  for (const seed of seedsOf(variant)) {
    test(`${variant}, seed ${seed}: what clients see is what is promised`, { timeout: RUN_MS }, async () => {
      const { violations, report } = await runModel(variant, seed, SETTINGS.steps).catch((error: unknown) => {
        summary.failed(variant, seed, error);
        throw error;
      });
      summary.add(variant, seed, violations);
      if (report === undefined) return;
      if (SETTINGS.reports !== undefined) {
        mkdirSync(SETTINGS.reports, { recursive: true });
        writeFileSync(join(SETTINGS.reports, `${variant}-${seed}.txt`), report);
      }
      expect.fail(report);
    });
  }
}
