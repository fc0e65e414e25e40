import { randomInt } from 'node:crypto';
import type { Variant } from './world.ts';

function setting(name: string, otherwise: number): number {
  const given = process.env[name];
  return given === undefined || given === '' ? otherwise : Number(given);
}

/** Seeds that every test run plays. */
const USUAL = { alone: [1, 2, 4], sentinels: [103], cluster: [201], nats: [301] } as const;

/** How much a run of the test does (see model.test.ts). */
export const SETTINGS = {
  seed: setting('MODEL_SEED', 0),
  runs: setting('MODEL_RUNS', 0),
  steps: setting('MODEL_STEPS', 250),
  /** Only these kinds of faults; undefined: some, by the seed. */
  faults: process.env['MODEL_FAULTS']?.split(','),
  /** Whether a report holds all frames and the logs of the pods. */
  logs: process.env['MODEL_LOGS'] !== undefined,
  /** Where reports go besides, one file for each seed with a violation. */
  reports: process.env['MODEL_REPORTS'],
  variant: process.env['MODEL_VARIANT'] ?? 'all',
} as const;

/** The seeds to play with that between the pods. */
export function seedsOf(variant: Variant): readonly number[] {
  const { seed, runs, variant: only } = SETTINGS;
  if (only !== 'all' && only !== variant) return [];
  if (seed === 0 && runs === 0) return USUAL[variant];
  const first = seed === 0 ? randomInt(2 ** 30) : seed;
  return Array.from({ length: Math.max(runs, 1) }, (_, index) => first + index);
}
