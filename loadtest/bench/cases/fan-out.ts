import type { Options } from '../arguments.ts';
import type { ContenderName } from '../contenders.ts';
import type { RunOptions } from '../load/commands.ts';
import { measureRounds, ratio, spread } from '../rounds.ts';
import type { CaseResult } from '../table.ts';

const CONNECTIONS = 1000;
const BASES = ['bare', 'bare-turn', 'ws', 'socketio', 'crosspod'] as const satisfies readonly ContenderName[];

/** One room of 1,000, 20 messages a second, one at a time. */
export const SPARSE = { perBurst: 1, intervalMs: 50 } as const;
/** The same 20 messages a second, ten in one go. */
export const BURST = { perBurst: 10, intervalMs: 500 } as const;

/** So many bursts as fit into these seconds. */
export function during(seconds: number, pace: { perBurst: number; intervalMs: number }): RunOptions {
  return { ...pace, bursts: Math.ceil((seconds * 1000) / pace.intervalMs) };
}

/** CPU time of the server per delivery when messages come one by one. */
export async function sparse(options: Options): Promise<CaseResult[]> {
  const title = 'Sparse: one room of 1,000, 20 messages/s one by one';
  return [await fanOut('sparse', title, options, during(options.seconds, SPARSE))];
}

/** The same when they come in bursts of ten. */
export async function burst(options: Options): Promise<CaseResult[]> {
  const title = 'Bursts: one room of 1,000, 20 messages/s in bursts of 10';
  return [await fanOut('burst', title, options, during(options.seconds, BURST))];
}

async function fanOut(name: string, title: string, options: Options, run: RunOptions): Promise<CaseResult> {
  const { contenders, rounds } = options;
  const readings = await measureRounds({ contenders, rounds, run, connections: CONNECTIONS });
  const cpu = new Map([...readings].map(([key, all]) => [key, all.map((one) => one.cpuPerDelivery)]));
  return {
    name,
    title: `${title} (CPU of the server process)`,
    header: [
      'server',
      'µs per delivery',
      ...BASES.map((base) => `÷ ${base}`),
      'p50 ms',
      'p99 ms',
      'generator',
    ],
    rows: [...readings].map(([key, all]) => {
      const values = cpu.get(key) ?? [];
      return [
        key,
        spread(values, 2),
        ...BASES.map((base) => ratio(values, cpu.get(base))),
        spread(
          all.map((one) => one.p50Ms),
          1,
        ),
        spread(
          all.map((one) => one.p99Ms),
          1,
        ),
        `${Math.round(Math.max(...all.map((one) => one.generatorLoad)) * 100)} %`,
      ];
    }),
    figures: Object.fromEntries(readings),
  };
}
