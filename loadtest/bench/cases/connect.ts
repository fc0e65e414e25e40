import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import { nameAt, withEarlier } from '../build.ts';
import { askedOf, type Contender, type ContenderName } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import type { Connected } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { cpuMicros } from '../proc.ts';
import { generatorLoad, interleaved, named, ratio, spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

/** What a server announces within `settleMs` after the last join belongs to the joins. */
const CROWD = { connections: 5000, rooms: 50, settleMs: 1000 } as const;
const SMALL_CROWD = { connections: 1000, rooms: 10, settleMs: 300 } as const;
const NAMES = [
  'ws',
  'socketio',
  'centrifugo',
  'centrifugo-presence',
  'crosspod-channel',
  'crosspod',
] as const satisfies readonly ContenderName[];
const BASES = ['ws', 'centrifugo', 'centrifugo-presence', 'crosspod'] as const;

interface Reading extends Connected {
  /** CPU time of the server, in microseconds. */
  readonly perConnection: number;
}

/** Many clients that come at once: each server is new, as after a rolling update. */
export async function connect(options: Options): Promise<CaseResult[]> {
  const crowd = options.quick ? SMALL_CROWD : CROWD;
  // Without the variants of a server there is time for more rounds.
  const names = options.quick ? NAMES.filter((name) => options.contenders.includes(name)) : NAMES;
  const chosen = askedOf(names, options.contenders);
  const today = new Map([...chosen].map(([name, contender]) => [name, { contender }]));
  const all = withEarlier(today, options.against);
  const readings = new Map<string, Reading[]>([...all.keys()].map((name) => [name, []]));
  await interleaved(options.rounds, [...all], async ([name, { contender }]) => {
    readings.get(name)?.push(await named(name, read(contender, crowd)));
  });
  const seconds = measure('s', 2, readings, (one) => one.seconds);
  const cpu = measure('CPU µs per connection', 0, readings, (one) => one.perConnection);
  const earlier =
    options.against === undefined
      ? []
      : [nameAt('crosspod-channel', options.against), nameAt('crosspod', options.against)];
  const bases = [...BASES, ...earlier].filter((base) => readings.has(base));
  return [
    {
      name: 'connect',
      title: `${crowd.connections} clients connect and join ${crowd.rooms} rooms, 64 handshakes at once`,
      header: [
        'server',
        's',
        ...bases.map((base) => `s ÷ ${base}`),
        'CPU µs per connection',
        'refused at first',
        'generator',
      ],
      rows: [...readings].map(([name, some]) => [
        name,
        spread(seconds.values.get(name) ?? [], 2),
        ...bases.map((base) => ratio(seconds.values.get(name) ?? [], seconds.values.get(base))),
        spread(cpu.values.get(name) ?? [], 0),
        spread(
          some.map((one) => one.refused),
          0,
        ),
        generatorLoad(some),
      ]),
      figures: Object.fromEntries(readings),
      measures: [seconds, cpu],
    },
  ];
}

async function read(
  contender: Contender,
  { connections, rooms, settleMs }: typeof CROWD | typeof SMALL_CROWD,
): Promise<Reading> {
  const server = await startServer(contender);
  const generator = startGenerator();
  try {
    const before = cpuMicros(server.pid);
    const connected = await generator.connect({
      connections,
      rooms,
      ports: [server.port],
      ways: contender.ways,
    });
    await sleep(settleMs);
    return { ...connected, perConnection: (cpuMicros(server.pid) - before) / connections };
  } finally {
    await generator.stop();
    await server.stop();
  }
}
