import type { Options } from '../arguments.ts';
import type { ContenderName } from '../contenders.ts';
import { Recording } from '../cpu-profile.ts';
import type { SelfTime } from '../cpu-profile.ts';
import type { RunOptions } from '../load/commands.ts';
import { openSubject } from '../subject.ts';
import type { CaseResult } from '../table.ts';
import { BURST, SPARSE, during } from './fan-out.ts';

const CONNECTIONS = 1000;
const TOP = 20;
/** A server that ends writes its profile first. */
export const WRITE_TIMEOUT_MS = 30_000;
const UNITS = new Map([
  ['deliveries', 'delivery'],
  ['messages', 'message'],
]);

/** Where the CPU time goes: Crosspod (or the contenders asked for) under V8's sampling profiler. */
export async function profile(options: Options): Promise<CaseResult[]> {
  const contenders = options.contenders.length === 1 ? options.contenders : (['crosspod'] as const);
  const results: CaseResult[] = [];
  for (const contender of contenders) {
    // Longer than a round: a profile wants samples, and is not repeated.
    const seconds = options.seconds * 5;
    results.push(await profileRun(contender, 'sparse', during(seconds, SPARSE)));
    results.push(await profileRun(contender, 'burst', during(seconds, BURST)));
  }
  return results;
}

async function profileRun(contender: ContenderName, pace: string, run: RunOptions): Promise<CaseResult> {
  const recording = new Recording();
  try {
    const subject = await openSubject(contender, CONNECTIONS, recording.flags);
    await subject.run({ ...run, bursts: Math.ceil(run.bursts / 5) });
    recording.begin();
    const { deliveries } = await subject.run(run);
    recording.end();
    await subject.stop(WRITE_TIMEOUT_MS);
    return profileTable(`${contender}, ${pace}`, recording.selfTimes(), { deliveries });
  } finally {
    recording.discard();
  }
}

/** The functions of `times` with the longest ones first, also divided by each of the `units`. */
export function profileTable(
  name: string,
  times: readonly SelfTime[],
  units: Readonly<Record<string, number>>,
): CaseResult {
  const total = times.reduce((sum, { micros }) => sum + micros, 0);
  const row = ({ name, micros }: SelfTime): string[] => [
    name,
    `${((100 * micros) / total).toFixed(1)} %`,
    ...Object.values(units).map((count) => (micros / count).toFixed(3)),
  ];
  return {
    name: `profile ${name}`,
    title: `Self time of ${name}, without idle (the profiler adds to it)`,
    header: ['function', 'share', ...Object.keys(units).map((unit) => `µs per ${UNITS.get(unit) ?? unit}`)],
    rows: [...times.slice(0, TOP).map(row), row({ name: 'all', micros: total })],
    figures: times,
  };
}
