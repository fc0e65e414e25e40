import type { Options } from './arguments.ts';
import { nameAt } from './build.ts';
import { ratio, spread } from './rounds.ts';
import type { CaseResult } from './table.ts';

/** A figure of today's build, alone or divided by the same figure of another server or of the earlier build. */
interface Target {
  readonly what: string;
  /** Name of the result in which the figure is. */
  readonly result: string;
  readonly figure: string;
  readonly of: string;
  /** `earlier`: the same arrangement of the earlier build; undefined: the figure itself is the target. */
  readonly by?: string;
  readonly aim: { readonly most: number } | { readonly least: number };
}

const TWO_PODS = 'crosspod, two pods, Redis';
const WS_TWO_PODS = 'ws, two pods, Redis';
const CENTRIFUGO_TWO_PODS = 'centrifugo, two pods, Redis';
const CPU = 'CPU µs per delivery';
const ENGINE = 'engine, µs per message';

/** Speed, issue 24. The counts of garbage, promises and timers are tests, since they repeat. */
const TARGETS: readonly Target[] = [
  ...fanOut('200 rooms of 10, 400/s', 'many-rooms', 'ws', 1.15),
  ...fanOut('200 rooms of 10, 2,000/s', 'many-rooms busy', 'ws', 1.05),
  ...fanOut('large room, one by one', 'sparse', 'bare', 1.2),
  ...fanOut('large room, bursts', 'burst', 'bare-turn', 1.15),
  ...twoPods('400/s', 'multi-fan-out many-rooms', CPU, [1.2, 0.8]),
  ...twoPods('2,000/s', 'multi-fan-out many-rooms busy', CPU, [1.15, 0.7]),
  {
    what: 'two pods, 2,000/s: p99',
    result: 'multi-fan-out many-rooms busy',
    figure: 'p99 ms',
    of: TWO_PODS,
    by: CENTRIFUGO_TWO_PODS,
    aim: { most: 1 },
  },
  ...redis('sparse', 'multi-fan-out many-rooms', 1.7),
  ...redis('under load', 'multi-fan-out many-rooms busy', 1.3),
  connecting('without presence', 'crosspod-channel', 'ws', 2),
  connecting('without presence', 'crosspod-channel', 'centrifugo', 1.2),
  connecting('with presence', 'crosspod', 'centrifugo-presence', 1.2),
  acknowledged('redis, 50 rooms', 2.5),
  acknowledged('redis, 1 room', 2.5),
  acknowledged('nats, 1 room', 5),
  {
    what: 'a resume of 100 messages, CPU µs',
    result: 'resume',
    figure: 'CPU µs per resume',
    of: 'crosspod',
    aim: { most: 300 },
  },
  {
    what: 'idle connection, CPU µs/s',
    result: 'rss',
    figure: 'idle CPU µs/s per connection',
    of: 'crosspod',
    aim: { most: 1 },
  },
  {
    what: 'idle connection, KiB',
    result: 'rss',
    figure: 'KiB per connection',
    of: 'crosspod',
    aim: { most: 6.3 },
  },
  { what: 'start to ready, ms', result: 'ready', figure: 'ms', of: 'crosspod, image', aim: { most: 300 } },
];

/** What `npm run bench -- targets` runs. */
export const TARGET_CASES = [
  'sparse',
  'burst',
  'many-rooms',
  'connect',
  'resume',
  'acked',
  'multi-fan-out',
  'ready',
  'rss',
] as const;
export const TARGET_CONTENDERS = ['bare', 'bare-turn', 'ws', 'centrifugo', 'crosspod'] as const;

function fanOut(what: string, result: string, by: string, most: number): Target[] {
  return [{ what: `one pod, ${what}`, result, figure: CPU, of: 'crosspod', by, aim: { most } }];
}

function twoPods(
  what: string,
  result: string,
  figure: string,
  [byWs, byCentrifugo]: readonly [number, number],
): Target[] {
  const target = { what: `two pods, 200 rooms of 10, ${what}`, result, figure, of: TWO_PODS };
  return [
    { ...target, by: WS_TWO_PODS, aim: { most: byWs } },
    { ...target, by: CENTRIFUGO_TWO_PODS, aim: { most: byCentrifugo } },
  ];
}

/** `ws` publishes with a bare PUBLISH of the same size. */
function redis(what: string, result: string, most: number): Target[] {
  return [
    {
      what: `Redis per message, ${what}`,
      result,
      figure: ENGINE,
      of: TWO_PODS,
      by: WS_TWO_PODS,
      aim: { most },
    },
  ];
}

function connecting(what: string, of: string, by: string, most: number): Target {
  return { what: `connecting ${what}, s`, result: 'connect', figure: 's', of, by, aim: { most } };
}

function acknowledged(what: string, least: number): Target {
  return {
    what: `acked messages/s, ${what}`,
    result: 'acked',
    figure: 'messages/s',
    of: `crosspod, ${what}`,
    by: 'earlier',
    aim: { least },
  };
}

/** Each target with what was measured; empty where its case, its server or the earlier build was not run. */
export function tableOfTargets(results: readonly CaseResult[], { against }: Options): CaseResult {
  const valuesOf = (target: Target, name: string): readonly number[] | undefined =>
    results
      .find((result) => result.name === target.result)
      ?.measures?.find(({ figure }) => figure === target.figure)
      ?.values.get(name);
  const rows = TARGETS.map((target) => {
    const { what, of, by, aim } = target;
    const earlier = against === undefined ? '' : nameAt(of, against);
    const base = by === 'earlier' ? earlier : by;
    const values = valuesOf(target, of);
    const divisors = base === undefined ? undefined : valuesOf(target, base);
    const goal = 'most' in aim ? `≤ ${aim.most}` : `≥ ${aim.least}`;
    const ofEarlier = by === 'earlier' ? undefined : valuesOf(target, earlier);
    const now = figure(values, divisors, base);
    const isMet = 'most' in aim ? Number.parseFloat(now) <= aim.most : Number.parseFloat(now) >= aim.least;
    const met = now === '' ? '' : isMet ? 'yes' : 'no';
    return [what, base === undefined ? '' : `÷ ${base}`, figure(ofEarlier, divisors, base), now, goal, met];
  });
  return {
    name: 'targets',
    title: 'Targets of issue 24',
    header: ['', 'divided by', against?.ref ?? 'earlier', 'today', 'aim', 'met'],
    rows,
    figures: rows,
  };
}

function figure(
  values: readonly number[] | undefined,
  divisors: readonly number[] | undefined,
  base: string | undefined,
): string {
  if (values === undefined) return '';
  if (base === undefined) return spread(values, 1);
  return divisors === undefined ? '' : ratio(values, divisors);
}
