import type { Options } from '../arguments.ts';
import { nameAt, withEarlier } from '../build.ts';
import { askedOf, type ContenderName } from '../contenders.ts';
import type { RunOptions } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { generatorLoad, measureRounds, ratio, spread } from '../rounds.ts';
import { alone, type Crowd } from '../subject.ts';
import type { CaseResult } from '../table.ts';

const BASES = [
  'bare',
  'bare-turn',
  'ws',
  'socketio',
  'centrifugo',
  'crosspod',
] as const satisfies readonly ContenderName[];

/** Who is connected, and how fast is published. */
export interface Load extends Crowd {
  readonly title: string;
  readonly pace: { readonly perBurst: number; readonly intervalMs: number };
}

const ROOM = { connections: 1000, rooms: 1 } as const;
/** One room of 1,000, 20 messages a second, one at a time. */
export const SPARSE: Load = {
  ...ROOM,
  title: 'One room of 1,000, 20 messages/s',
  pace: { perBurst: 1, intervalMs: 50 },
};
/** The same 20 messages a second, ten in one go. */
export const BURST: Load = {
  ...ROOM,
  title: 'One room of 1,000, 20 messages/s in bursts of 10',
  pace: { perBurst: 10, intervalMs: 500 },
};
/** 200 rooms of 10; each message in another room. */
export const MANY_ROOMS: Load = {
  connections: 2000,
  rooms: 200,
  title: '200 rooms of 10, 400 messages/s altogether',
  pace: { perBurst: 1, intervalMs: 2.5 },
};

/** The same rooms under five times the load. */
export const MANY_ROOMS_BUSY: Load = {
  ...MANY_ROOMS,
  title: '200 rooms of 10, 2,000 messages/s altogether',
  pace: { perBurst: 1, intervalMs: 0.5 },
};

/** So many bursts as fit into these seconds. */
export function during(seconds: number, { pace }: Load): RunOptions {
  return { ...pace, bursts: Math.ceil((seconds * 1000) / pace.intervalMs) };
}

/** CPU time of the server per delivery when messages come one by one. */
export function sparse(options: Options): Promise<CaseResult[]> {
  return fanOut('sparse', SPARSE, options, options.contenders);
}

/** The same when they come in bursts of ten. */
export function burst(options: Options): Promise<CaseResult[]> {
  return fanOut('burst', BURST, options, options.contenders);
}

/** The same in many small rooms, where waking up for a message costs as much as writing it. */
export async function manyRooms(options: Options): Promise<CaseResult[]> {
  const calm = await fanOut('many-rooms', MANY_ROOMS, options, options.contenders);
  if (options.quick) return calm;
  return [...calm, ...(await fanOut('many-rooms busy', MANY_ROOMS_BUSY, options, options.contenders))];
}

/** What the second dialect in a room costs. */
export async function mixed(options: Options): Promise<CaseResult[]> {
  const contenders = ['crosspod', 'crosspod-mixed'] as const;
  const results = [];
  for (const load of [SPARSE, BURST]) {
    const title = `${load.title}, half of them with the other dialect`;
    results.push(...(await fanOut(`mixed ${load.pace.perBurst}`, { ...load, title }, options, contenders)));
  }
  return results;
}

async function fanOut(
  name: string,
  load: Load,
  { rounds, seconds, warmUpMs, against }: Options,
  contenders: readonly ContenderName[],
): Promise<CaseResult[]> {
  const chosen = askedOf(contenders, contenders);
  const today = new Map([...chosen].map(([name, contender]) => [name, alone(contender)]));
  const arrangements = withEarlier(today, against);
  const run = during(seconds, load);
  const readings = await measureRounds({ ...load, arrangements, rounds, run, warmUpMs });
  const cpu = measure('CPU µs per delivery', 2, readings, (one) => one.cpuPerDelivery);
  const earlier = against === undefined ? [] : [nameAt('crosspod', against)];
  const bases = [...BASES, ...earlier].filter((base) => cpu.values.has(base));
  const rows = [...readings].map(([key, all]) => {
    const values = cpu.values.get(key) ?? [];
    const ratios = bases.map((base) => ratio(values, cpu.values.get(base)));
    const delays = [all.map((one) => one.p50Ms), all.map((one) => one.p99Ms)].map((delay) =>
      spread(delay, 1),
    );
    return [key, spread(values, 2), ...ratios, ...delays, generatorLoad(all)];
  });
  const ratioNames = bases.map((base) => `÷ ${base}`);
  return [
    {
      name,
      title: `${load.title} (CPU of the server process)`,
      header: ['server', 'µs per delivery', ...ratioNames, 'p50 ms', 'p99 ms', 'generator'],
      rows,
      figures: Object.fromEntries(readings),
      measures: [cpu, measure('p99 ms', 1, readings, (one) => one.p99Ms)],
    },
  ];
}
