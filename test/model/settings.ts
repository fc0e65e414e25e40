import { randomInt } from 'node:crypto';
import type { Variant } from './world.ts';

function setting(name: string, otherwise: number): number {
  const given = process.env[name];
  return given === undefined || given === '' ? otherwise : Number(given);
}

/** Seeds that every test run plays, a minute in all. */
const USUAL = { alone: [1], sentinels: [3], cluster: [3], nats: [4] } as const;
const USUAL_STEPS = 120;
const MANY_STEPS = 250;

/** Whether somebody asks for more than every test run plays. */
function isByHand(): boolean {
  return setting('MODEL_SEED', 0) !== 0 || setting('MODEL_RUNS', 0) !== 0;
}

/** How much a run of the test does (see model.test.ts). */
export const SETTINGS = {
  seed: setting('MODEL_SEED', 0),
  runs: setting('MODEL_RUNS', 0),
  steps: setting('MODEL_STEPS', isByHand() ? MANY_STEPS : USUAL_STEPS),
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
