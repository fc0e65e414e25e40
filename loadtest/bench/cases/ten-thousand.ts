import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { askedOf } from '../contenders.ts';
import { measure } from '../measure.ts';
import { measureRounds, ratio, spread } from '../rounds.ts';
import { alone } from '../subject.ts';
import type { CaseResult } from '../table.ts';

const CONNECTIONS = 10_000;
const INTERVAL_MS = 400;

/** 10,000 connections in one room of one pod: does everybody receive everything, and how soon. */
export async function tenThousand(options: Options): Promise<CaseResult[]> {
  const { rounds, warmUpMs, against } = options;
  const chosen = askedOf(
    ['bare', 'bare-turn', 'ws', 'socketio', 'centrifugo', 'crosspod'],
    options.contenders,
  );
  const run = {
    bursts: Math.ceil((options.seconds * 1000) / INTERVAL_MS),
    perBurst: 1,
    intervalMs: INTERVAL_MS,
  };
  const today = new Map([...chosen].map(([name, contender]) => [name, alone(contender)]));
  const arrangements = withEarlier(today, against);
  const crowd = { connections: CONNECTIONS, rooms: 1 };
  const readings = await measureRounds({ ...crowd, arrangements, rounds, run, warmUpMs });
  const p99 = new Map([...readings].map(([key, all]) => [key, all.map((one) => one.p99Ms)]));
  return [
    {
      name: 'ten-thousand',
      title: `10,000 connections in one room, a message every ${INTERVAL_MS} ms, publish to receive`,
      header: [
        'server',
        'received',
        'p50 ms',
        'p99 ms',
        'p99 ÷ bare',
        'p99 ÷ bare-turn',
        'CPU µs per delivery',
      ],
      rows: [...readings].map(([key, all]) => [
        key,
        `${sum(all.map((one) => one.deliveries))} of ${sum(all.map((one) => one.expected))}`,
        spread(
          all.map((one) => one.p50Ms),
          1,
        ),
        spread(p99.get(key) ?? [], 1),
        ratio(p99.get(key) ?? [], p99.get('bare')),
        ratio(p99.get(key) ?? [], p99.get('bare-turn')),
        spread(
          all.map((one) => one.cpuPerDelivery),
          2,
        ),
      ]),
      figures: Object.fromEntries(readings),
      measures: [
        measure('p99 ms', 1, readings, (one) => one.p99Ms),
        measure('CPU µs per delivery', 2, readings, (one) => one.cpuPerDelivery),
      ],
    },
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
