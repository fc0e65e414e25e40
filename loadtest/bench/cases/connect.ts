import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import { nameAt, withEarlier } from '../build.ts';
import { askedOf, type Contender } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import type { Connected } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { cpuMicros } from '../proc.ts';
import { generatorLoad, interleaved, named, ratio, spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

const CROWD = { connections: 5000, rooms: 50 } as const;
const SMALL_CROWD = { connections: 1000, rooms: 10 } as const;
/** What a server announces after the last join belongs to the joins. */
const SETTLE_MS = 1000;
const BASES = ['ws', 'centrifugo', 'centrifugo-presence', 'crosspod'] as const;

interface Reading extends Connected {
  /** CPU time of the server, in microseconds. */
  readonly perConnection: number;
}

/** Many clients that come at once: each server is new, as after a rolling update. */
export async function connect(options: Options): Promise<CaseResult[]> {
  const crowd = options.quick ? SMALL_CROWD : CROWD;
  const chosen = askedOf(
    ['ws', 'socketio', 'centrifugo', 'centrifugo-presence', 'crosspod-channel', 'crosspod'],
    options.contenders,
  );
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
      header: ['server', 's', ...bases.map((base) => `s ÷ ${base}`), 'CPU µs per connection', 'generator'],
      rows: [...readings].map(([name, some]) => [
        name,
        spread(seconds.values.get(name) ?? [], 2),
        ...bases.map((base) => ratio(seconds.values.get(name) ?? [], seconds.values.get(base))),
        spread(cpu.values.get(name) ?? [], 0),
        generatorLoad(some),
      ]),
      figures: Object.fromEntries(readings),
      measures: [seconds, cpu],
    },
  ];
}

async function read(
  contender: Contender,
  crowd: { readonly connections: number; readonly rooms: number },
): Promise<Reading> {
  const server = await startServer(contender);
  const generator = startGenerator();
  try {
    const before = cpuMicros(server.pid);
    const connected = await generator.connect({ ...crowd, ports: [server.port], ways: contender.ways });
    await sleep(SETTLE_MS);
    return { ...connected, perConnection: (cpuMicros(server.pid) - before) / crowd.connections };
  } finally {
    await generator.stop();
    await server.stop();
  }
}
