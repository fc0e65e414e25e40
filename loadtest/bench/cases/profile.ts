import type { Options } from '../arguments.ts';
import { type Contender, CONTENDERS, type ContenderName } from '../contenders.ts';
import { Recording } from '../cpu-profile.ts';
import type { SelfTime } from '../cpu-profile.ts';
import { warmUp } from '../rounds.ts';
import { alone, type Arrangement, openSubject } from '../subject.ts';
import type { CaseResult } from '../table.ts';
import { BURST, during, type Load, MANY_ROOMS, SPARSE } from './fan-out.ts';

const TOP = 20;
/** A server that ends writes its profile first. */
const WRITE_TIMEOUT_MS = 30_000;
/** Longer than a round: a profile wants samples, and is not repeated. */
const TIMES_LONGER = 5;
const UNITS = new Map([
  ['deliveries', 'delivery'],
  ['messages', 'message'],
]);

/** Where the CPU time goes: Crosspod (or the one contender asked for) under V8's sampling profiler. */
export function profile(options: Options): Promise<CaseResult[]> {
  return profileAll(alone, [SPARSE, BURST, MANY_ROOMS], options);
}

/** The same of two pods with Redis. */
export function multiProfile(options: Options): Promise<CaseResult[]> {
  return profileAll(onRedis, [SPARSE, MANY_ROOMS], options);
}

function onRedis(contender: Contender): Arrangement {
  return { contender, pods: 2, engine: 'redis' };
}

function contenderOf({ contenders: [first, second] }: Options): ContenderName {
  return first === undefined || second !== undefined ? 'crosspod' : first;
}

async function profileAll(
  arrange: (contender: Contender) => Arrangement,
  loads: readonly Load[],
  options: Options,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const load of loads) results.push(...(await profileLoad(arrange, load, options)));
  return results;
}

async function profileLoad(
  arrange: (contender: Contender) => Arrangement,
  load: Load,
  options: Options,
): Promise<CaseResult[]> {
  const { seconds, warmUpMs } = options;
  const contender = contenderOf(options);
  const arrangement = arrange(CONTENDERS[contender]);
  const recordings = Array.from({ length: arrangement.pods }, () => new Recording());
  try {
    const subject = await openSubject(arrangement, load, (index) => recordings[index]?.flags ?? []);
    await warmUp(subject, during(seconds, load), warmUpMs);
    for (const recording of recordings) recording.begin();
    const { deliveries, messages } = await subject.run(during(seconds * TIMES_LONGER, load));
    for (const recording of recordings) recording.end();
    await subject.stop(WRITE_TIMEOUT_MS);
    const units = { deliveries: deliveries / recordings.length, messages };
    return recordings.map((recording, index) => {
      const name = `${contender}, pod ${index + 1}, ${load.title}`;
      return profileTable(name, recording.selfTimes(), units);
    });
  } finally {
    for (const recording of recordings) recording.discard();
  }
}

/** The functions of `times` with the longest ones first, also divided by each of the `units`. */
function profileTable(
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
