import type { Options } from '../../arguments.ts';
import type { Reach } from '../../load/commands.ts';
import { generatorLoad, measureRounds, ratio, type Readings, spread } from '../../rounds.ts';
import { alone, type Arrangement, type Reading } from '../../subject.ts';
import type { CaseResult } from '../../table.ts';
import { during, type Load, MANY_ROOMS, SPARSE } from '../fan-out.ts';

/** What the others are divided by. */
const BASE = 'ws, two pods, Redis';

/** Members of a room are spread over the pods, and so are publishers. */
const ARRANGEMENTS: ReadonlyMap<string, Arrangement> = new Map([
  ['crosspod, one pod', alone('crosspod')],
  ['crosspod, one pod, Redis', { contender: 'crosspod', pods: 1, engine: 'redis' }],
  ['crosspod, two pods, Redis', { contender: 'crosspod', pods: 2, engine: 'redis' }],
  ['ws, one pod', alone('ws')],
  [BASE, { contender: 'ws', pods: 2, engine: 'redis' }],
  ['socketio, two pods, Redis', { contender: 'socketio', pods: 2, engine: 'redis' }],
]);

/** What a delivery costs with two pods and Redis, and how soon it is there; and what Redis has to do with it. */
export async function multiFanOut({ rounds, seconds, contenders }: Options): Promise<CaseResult[]> {
  const asked = [...ARRANGEMENTS].filter(([, { contender }]) => contenders.includes(contender));
  const results: CaseResult[] = [];
  for (const load of [SPARSE, MANY_ROOMS]) {
    const run = during(seconds, load);
    const readings = await measureRounds({ ...load, arrangements: new Map(asked), rounds, run });
    results.push(costs(load, readings), delays(load, readings));
  }
  return results;
}

function costs({ title, rooms }: Load, readings: Readings): CaseResult {
  const together = new Map(
    [...readings].map(([label, all]) => [label, all.map((one) => one.cpuPerDelivery)]),
  );
  return {
    name: `multi-fan-out ${rooms}`,
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
  };
}

function podsFigure(readings: readonly Reading[], pod: number): number[] {
  return readings.map(({ pods }) => pods[pod]).filter((figure) => figure !== undefined);
}

function delays({ title, rooms }: Load, readings: Readings): CaseResult {
  const cells = (reaches: readonly (Reach | undefined)[]): string[] => {
    const there = reaches.filter((reach) => reach !== undefined);
    return [there.map(({ p50Ms }) => p50Ms), there.map(({ p99Ms }) => p99Ms)].map((all) => spread(all, 1));
  };
  return {
    name: `multi-delay ${rooms}`,
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
