import type { Options } from '../../arguments.ts';
import type { Reach } from '../../load/commands.ts';
import { withEarlier } from '../../build.ts';
import { type Contender, CONTENDERS } from '../../contenders.ts';
import { type Measure, measure } from '../../measure.ts';
import { generatorLoad, measureRounds, ratio, type Readings, spread } from '../../rounds.ts';
import { alone, type Arrangement, type Reading } from '../../subject.ts';
import type { CaseResult } from '../../table.ts';
import { during, type Load, MANY_ROOMS, MANY_ROOMS_BUSY, SPARSE } from '../fan-out.ts';

/** What the others are divided by. */
const BASE = 'ws, two pods, Redis';

const { ws, socketio, centrifugo, crosspod } = CONTENDERS;
const onRedis = (contender: Contender, pods: number): Arrangement => ({ contender, pods, engine: 'redis' });

/** Members of a room are spread over the pods, and so are publishers. */
const ARRANGEMENTS: ReadonlyMap<string, Arrangement> = new Map([
  ['crosspod, one pod', alone(crosspod)],
  ['crosspod, one pod, Redis', onRedis(crosspod, 1)],
  ['crosspod, two pods, Redis', onRedis(crosspod, 2)],
  ['ws, one pod', alone(ws)],
  [BASE, onRedis(ws, 2)],
  ['socketio, two pods, Redis', onRedis(socketio, 2)],
  ['centrifugo, two pods, Redis', onRedis(centrifugo, 2)],
]);

const LOADS: readonly (readonly [string, Load])[] = [
  ['sparse', SPARSE],
  ['many-rooms', MANY_ROOMS],
  ['many-rooms busy', MANY_ROOMS_BUSY],
];

/** What a delivery costs with two pods and Redis, and how soon it is there; and what Redis has to do with it. */
export async function multiFanOut(options: Options): Promise<CaseResult[]> {
  const { rounds, seconds, contenders, warmUpMs, against } = options;
  const asked = new Set<Contender>(contenders.map((name) => CONTENDERS[name]));
  const today = [...ARRANGEMENTS].filter(
    ([, one]) => asked.has(one.contender) && one.contender.script !== '',
  );
  const arrangements = withEarlier(new Map(today), against);
  const results: CaseResult[] = [];
  for (const [kind, load] of LOADS) {
    const run = during(seconds, load);
    const readings = await measureRounds({ ...load, arrangements, rounds, run, warmUpMs });
    results.push(costs(kind, load, readings), delays(kind, load, readings));
  }
  return results;
}

function costs(kind: string, { title }: Load, readings: Readings): CaseResult {
  const together = new Map(
    [...readings].map(([label, all]) => [label, all.map((one) => one.cpuPerDelivery)]),
  );
  return {
    name: `multi-fan-out ${kind}`,
    title: `${title} (CPU µs per delivery; Redis also per message)`,
    header: ['', 'pod 1', 'pod 2', 'pods together', `÷ ${BASE}`, 'Redis', 'Redis per message', 'generator'],
    rows: [...readings].map(([label, all]) => [
      label,
      ...[0, 1].map((pod) => spread(podsFigure(all, pod), 2)),
      spread(together.get(label) ?? [], 2),
      ratio(together.get(label) ?? [], together.get(BASE)),
      spread(
        all.map((one) => one.engine),
        2,
      ),
      spread(
        all.map((one) => (one.engine * one.deliveries) / one.messages),
        0,
      ),
      generatorLoad(all),
    ]),
    figures: Object.fromEntries(readings),
    measures: measuresOf(readings),
  };
}

function measuresOf(readings: Readings): Measure[] {
  return [
    measure('CPU µs per delivery', 2, readings, (one) => one.cpuPerDelivery),
    measure('engine, µs per message', 0, readings, (one) => (one.engine * one.deliveries) / one.messages),
    measure('p99 ms', 1, readings, (one) => one.p99Ms),
  ];
}

function podsFigure(readings: readonly Reading[], pod: number): number[] {
  return readings.map(({ pods }) => pods[pod]).filter((figure) => figure !== undefined);
}

function delays(kind: string, { title }: Load, readings: Readings): CaseResult {
  const cells = (reaches: readonly (Reach | undefined)[]): string[] => {
    const there = reaches.filter((reach) => reach !== undefined);
    return [there.map(({ p50Ms }) => p50Ms), there.map(({ p99Ms }) => p99Ms)].map((all) => spread(all, 1));
  };
  return {
    name: `multi-delay ${kind}`,
    title: `${title} (publish to receive, ms)`,
    header: ['', 'own pod p50', 'own pod p99', 'other pod p50', 'other pod p99', 'received'],
    rows: [...readings].map(([label, all]) => [
      label,
      ...cells(all.map(({ own }) => own)),
      ...cells(all.map(({ others }) => others)),
      `${sum(all.map((one) => one.deliveries))} of ${sum(all.map((one) => one.expected))}`,
    ]),
    figures: {},
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
