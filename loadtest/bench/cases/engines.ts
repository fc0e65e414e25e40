import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import { CONTENDERS } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import type { Throughput } from '../load/commands.ts';
import { startPods, times } from '../multi/pods.ts';
import { measureRounds, type Readings, spread } from '../rounds.ts';
import type { Arrangement } from '../subject.ts';
import type { CaseResult } from '../table.ts';
import { during, MANY_ROOMS } from './fan-out.ts';

const NAMES = Object.keys(ENGINES) as EngineName[];
/** A single room is the worst case: it has one order. */
const ROOMS = [1, 50] as const;
/** Before anything is counted. */
const LEAD_MS = 2_000;
const RECOVERED_MS = 4_000;

/** What a message costs with each engine, how soon it is there, and how many a second there can be. */
export async function engines({ rounds, seconds, warmUpMs }: Options): Promise<CaseResult[]> {
  const arrangements = new Map(NAMES.map((engine): [string, Arrangement] => [engine, arrangementOf(engine)]));
  const readings = await measureRounds({
    ...MANY_ROOMS,
    arrangements,
    rounds,
    warmUpMs,
    run: during(seconds, MANY_ROOMS),
  });
  const most = new Map<EngineName, Throughput[][]>();
  for (const engine of NAMES) most.set(engine, await throughputOf(engine, rounds, seconds));
  return [costs(readings), throughput(most)];
}

/** One pod where there is nothing between pods. */
function arrangementOf(engine: EngineName): Arrangement {
  return { contender: CONTENDERS.crosspod, pods: podsOf(engine), engine };
}

function podsOf(engine: EngineName): number {
  return engine === 'memory' ? 1 : 2;
}

async function throughputOf(name: EngineName, rounds: number, seconds: number): Promise<Throughput[][]> {
  const engine = await ENGINES[name]();
  const pods = await startPods({ envs: times(podsOf(name), { ...engine.env, HISTORY_SIZE: '100' }) });
  const ports = pods.all.map(({ port }) => port);
  const all: Throughput[][] = [];
  for (const rooms of ROOMS) {
    const generator = startGenerator();
    await generator.pair({ ports, rooms });
    const some: Throughput[] = [];
    for (let round = 0; round < rounds; round += 1)
      some.push(await generator.throughput({ seconds, leadMs: LEAD_MS }));
    await generator.stop();
    // A pod that was given all that it can take refuses connections for a moment.
    await sleep(RECOVERED_MS);
    all.push(some);
  }
  await pods.stop();
  await engine.discard();
  return all;
}

function costs(readings: Readings): CaseResult {
  const perMessage = (
    values: readonly { deliveries: number; messages: number }[],
    figure: (index: number) => number,
  ) => values.map(({ deliveries, messages }, index) => (figure(index) * deliveries) / messages);
  return {
    name: 'engines cost',
    title: `${MANY_ROOMS.title}, two pods (one with memory)`,
    header: [
      'engine',
      'pods, µs per message',
      'engine, µs per message',
      'own pod p50',
      'p99',
      'other pod p50',
      'p99',
      'received',
    ],
    rows: [...readings].map(([name, all]) => [
      name,
      spread(
        perMessage(all, (index) => all[index]?.cpuPerDelivery ?? 0),
        0,
      ),
      spread(
        perMessage(all, (index) => all[index]?.engine ?? 0),
        0,
      ),
      ...[all.map(({ own }) => own), all.map(({ others }) => others)].flatMap((reaches) => {
        const there = reaches.filter((reach) => reach !== undefined);
        return [there.map(({ p50Ms }) => p50Ms), there.map(({ p99Ms }) => p99Ms)].map((values) =>
          spread(values, 1),
        );
      }),
      `${sum(all.map((one) => one.deliveries))} of ${sum(all.map((one) => one.expected))}`,
    ]),
    figures: Object.fromEntries(readings),
  };
}

function throughput(most: ReadonlyMap<EngineName, Throughput[][]>): CaseResult {
  return {
    name: 'engines throughput',
    title:
      'As many as are acked: a publisher for each room, 32 of its messages under way, one member elsewhere',
    header: [
      'engine',
      ...ROOMS.map((rooms) => `${rooms} ${rooms === 1 ? 'room' : 'rooms'}, messages/s`),
      'received',
    ],
    rows: [...most].map(([name, all]) => [
      name,
      ...all.map((some) =>
        spread(
          some.map(({ messagesPerSecond }) => messagesPerSecond),
          0,
        ),
      ),
      `${sum(all.flat().map(({ received }) => received))} of ${sum(all.flat().map(({ published }) => published))}`,
    ]),
    figures: Object.fromEntries(most),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
