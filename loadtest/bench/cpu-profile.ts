/** The part of V8's .cpuprofile that is needed here; all times are microseconds of the monotonic clock. */
export interface CpuProfile {
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

/** The functions by the time spent in themselves between two moments, longest first; `(idle)` is left out. */
export function selfTimes(profile: CpuProfile, fromMicros: number, toMicros: number): SelfTime[] {
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
