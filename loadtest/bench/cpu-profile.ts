import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The part of V8's .cpuprofile that is needed here; all times are microseconds of the monotonic clock. */
interface CpuProfile {
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
}

export interface SelfTime {
  readonly name: string;
  readonly micros: number;
}

/** What one process does between two moments, by V8's sampling profiler. */
export class Recording {
  readonly #folder = mkdtempSync(join(tmpdir(), 'crosspod-profile-'));
  #from = 0;
  #to = 0;

  /** With which the process is to be started. */
  get flags(): readonly string[] {
    return ['--cpu-prof', `--cpu-prof-dir=${this.#folder}`, '--cpu-prof-interval=250'];
  }

  begin(): void {
    this.#from = monotonicMicros();
  }

  end(): void {
    this.#to = monotonicMicros();
  }

  /** Once the process has ended: the file covers its whole life, only the time between the two is looked at. */
  selfTimes(): SelfTime[] {
    const file = readdirSync(this.#folder).find((name) => name.endsWith('.cpuprofile'));
    if (file === undefined) throw new Error('the process wrote no profile');
    const written = JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as CpuProfile;
    return selfTimes(written, this.#from, this.#to);
  }

  discard(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function monotonicMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** The functions by the time spent in themselves between two moments, longest first; `(idle)` is left out. */
function selfTimes(profile: CpuProfile, fromMicros: number, toMicros: number): SelfTime[] {
  const names = new Map(profile.nodes.map((node) => [node.id, describe(node.callFrame)]));
  const totals = new Map<string, number>();
  let at = profile.startTime;
  for (const [index, node] of profile.samples.entries()) {
    at += profile.timeDeltas[index] ?? 0;
    if (at < fromMicros || at > toMicros) continue;
    const name = names.get(node) ?? '(unknown)';
    // A sample stands for the time until the next one.
    totals.set(name, (totals.get(name) ?? 0) + (profile.timeDeltas[index + 1] ?? 0));
  }
  totals.delete('(idle)');
  return [...totals].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros);
}

function describe(frame: CpuProfile['nodes'][number]['callFrame']): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  if (frame.url === '') return name;
  const file = frame.url.split('/').slice(-2).join('/');
  return `${name} ${file}:${frame.lineNumber + 1}`;
}
