import { setTimeout as sleep } from 'node:timers/promises';
import type { RunOptions } from './load/commands.ts';
import { median } from './stats.ts';
import { type Arrangement, type Crowd, openSubject } from './subject.ts';
import type { Reading, Subject } from './subject.ts';

const WARM_UP_PACE = 2;
const PAUSE_MS = 300;

export type Readings = ReadonlyMap<string, readonly Reading[]>;

export interface RoundsOptions extends Crowd {
  /** What is measured, by the name it has in the table. */
  readonly arrangements: ReadonlyMap<string, Arrangement>;
  readonly rounds: number;
  readonly run: RunOptions;
  /** How long each runs under load before the first round. */
  readonly warmUpMs: number;
}

/**
 * Measures the arrangements in turn, round after round, so that what disturbs the machine for a while meets all of
 * them. Each stays up and connected from the first round to the last.
 */
export async function measureRounds(options: RoundsOptions): Promise<Readings> {
  const subjects = [];
  for (const [name, arrangement] of options.arrangements) {
    const subject = await named(name, openSubject(arrangement, options));
    await named(name, warmUp(subject, options.run, options.warmUpMs));
    subjects.push({ ...subject, name, readings: [] as Reading[] });
  }
  await interleaved(options.rounds, subjects, async (subject) => {
    await sleep(PAUSE_MS);
    subject.readings.push(await named(subject.name, subject.run(options.run)));
  });
  for (const subject of subjects) await subject.stop();
  return new Map(subjects.map(({ name, readings }) => [name, readings]));
}

/** Measures all subjects in each round. Each round begins with another one, so that none always follows the same. */
export async function interleaved<Item>(
  rounds: number,
  subjects: readonly Item[],
  measure: (subject: Item) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const first = round % subjects.length;
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) await measure(subject);
  }
}

/** Before anything is measured. */
export async function warmUp(
  subject: Subject,
  { perBurst, intervalMs }: RunOptions,
  warmUpMs: number,
): Promise<void> {
  const interval = intervalMs / WARM_UP_PACE;
  await subject.run({ perBurst, bursts: Math.ceil(warmUpMs / interval), intervalMs: interval });
}

export async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Median and range of one figure, as `6.20 (6.05–6.41)`; one value alone; `–` for none. */
export function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return '–';
  if (values.length === 1) return (values[0] ?? 0).toFixed(digits);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${median(values).toFixed(digits)} (${lowest}–${highest})`;
}

/** How many times the base's figure this one is: the median of the rounds' ratios; `–` without a base. */
export function ratio(values: readonly number[], base: readonly number[] | undefined): string {
  if (base === undefined) return '–';
  return median(values.map((value, round) => value / (base[round] ?? Number.NaN))).toFixed(2);
}

/** How busy the generator was at worst: near 100 % it is the bottleneck. */
export function generatorLoad(readings: readonly { readonly generatorLoad: number }[]): string {
  return `${Math.round(Math.max(...readings.map((one) => one.generatorLoad)) * 100)} %`;
}
