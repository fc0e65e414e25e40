import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Options } from '../arguments.ts';
import type { ContenderName } from '../contenders.ts';
import { selfTimes } from '../cpu-profile.ts';
import type { CpuProfile, SelfTime } from '../cpu-profile.ts';
import type { RunOptions } from '../load/commands.ts';
import { openSubject } from '../subject.ts';
import type { CaseResult } from '../table.ts';
import { BURST, SPARSE, during } from './fan-out.ts';

const CONNECTIONS = 1000;
const TOP = 20;
const WRITE_TIMEOUT_MS = 30_000;

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
  const folder = mkdtempSync(join(tmpdir(), 'crosspod-profile-'));
  try {
    const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=250'];
    const subject = await openSubject(contender, CONNECTIONS, flags);
    await subject.run({ ...run, bursts: Math.ceil(run.bursts / 5) });
    const from = monotonicMicros();
    const { deliveries } = await subject.run(run);
    const to = monotonicMicros();
    await subject.stop(WRITE_TIMEOUT_MS);
    // The file covers the whole life of the process; only the measured run is looked at.
    const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
    if (file === undefined) throw new Error(`${contender} wrote no profile`);
    const written = JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile;
    return tableOf(`${contender}, ${pace}`, selfTimes(written, from, to), deliveries);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

function tableOf(name: string, times: readonly SelfTime[], deliveries: number): CaseResult {
  const total = times.reduce((sum, { micros }) => sum + micros, 0);
  const row = ({ name, micros }: SelfTime): string[] => [
    name,
    `${((100 * micros) / total).toFixed(1)} %`,
    (micros / deliveries).toFixed(3),
  ];
  return {
    name: `profile ${name}`,
    title: `Self time of ${name}, without idle (the profiler adds to it)`,
    header: ['function', 'share', 'µs per delivery'],
    rows: [...times.slice(0, TOP).map(row), row({ name: 'all', micros: total })],
    figures: times,
  };
}
