import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { CONTENDERS } from '../contenders.ts';
import type { Contender } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import { measure as figureOf } from '../measure.ts';
import { cpuMicros, settledBytes } from '../proc.ts';
import { ratio, spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

const CONNECTIONS = 5000;
const SETTLE_MS = 20_000;
/** One whole HEARTBEAT_SECONDS: each connection is pinged once. Leases are renewed every three seconds. */
const IDLE_MS = 25_000;

interface Variant {
  readonly label: string;
  readonly contender: Contender;
  readonly rooms: number;
}

const { ws, socketio, centrifugo, crosspod, 'crosspod-auth': auth, 'crosspod-traced': traced } = CONTENDERS;
/** Node's flags decide much of what garbage costs, so `ws` is also run with those of Crosspod. */
const wsAlike = { ...ws, nodeFlags: crosspod.nodeFlags };

const VARIANTS: readonly Variant[] = [
  { label: 'ws', contender: ws, rooms: 1 },
  { label: 'ws, Node as for crosspod', contender: wsAlike, rooms: 1 },
  { label: 'ws, Node as for crosspod, 500 rooms of 10', contender: wsAlike, rooms: 500 },
  { label: 'socketio', contender: socketio, rooms: 1 },
  { label: 'centrifugo', contender: centrifugo, rooms: 1 },
  { label: 'centrifugo, 500 rooms of 10', contender: centrifugo, rooms: 500 },
  { label: 'crosspod', contender: crosspod, rooms: 1 },
  { label: 'crosspod, 500 rooms of 10', contender: crosspod, rooms: 500 },
  { label: 'crosspod, with tokens', contender: auth, rooms: 500 },
  { label: 'crosspod, traced', contender: traced, rooms: 500 },
];

/** Resident memory of the server for each connection that has joined and says nothing. */
export async function memory(options: Options): Promise<CaseResult[]> {
  const asked = new Set<Contender>(options.contenders.map((name) => CONTENDERS[name]));
  if (asked.has(ws)) asked.add(wsAlike);
  const chosen = VARIANTS.filter(({ contender }) => asked.has(contender) && contender.script !== '');
  const today = new Map(chosen.map((variant) => [variant.label, variant]));
  const variants = withEarlier(today, options.against);
  const figures = new Map<string, Memory[]>([...variants.keys()].map((label) => [label, []]));
  for (let round = 0; round < roundsOf(options); round++) {
    for (const [label, variant] of variants) figures.get(label)?.push(await measure(variant));
  }
  const perConnection = new Map(
    [...figures].map(([label, all]) => [label, all.map((one) => one.perConnection)]),
  );
  return [
    {
      name: 'rss',
      title: `Resident memory per idle joined connection, at ${CONNECTIONS} connections, ${roundsOf(options)} rounds`,
      header: [
        'server',
        'KiB per connection',
        '÷ ws',
        'MiB without connections',
        'idle CPU µs/s per connection',
      ],
      rows: [...figures].map(([label, all]) => [
        label,
        spread(
          all.map((one) => one.perConnection / 1024),
          1,
        ),
        ratio(perConnection.get(label) ?? [], perConnection.get('ws')),
        spread(
          all.map((one) => one.empty / 2 ** 20),
          0,
        ),
        spread(
          all.map((one) => one.idle),
          2,
        ),
      ]),
      figures: Object.fromEntries(figures),
      measures: [
        figureOf('KiB per connection', 1, figures, (one) => one.perConnection / 1024),
        figureOf('idle CPU µs/s per connection', 2, figures, (one) => one.idle),
      ],
    },
  ];
}

/** Each reading waits until memory has settled, so this case has fewer of them. */
function roundsOf(options: Options): number {
  return Math.ceil(options.rounds / 3);
}

interface Memory {
  /** In bytes. */
  readonly empty: number;
  readonly perConnection: number;
  /** CPU per connection, in microseconds a second. */
  readonly idle: number;
}

async function measure({ contender, rooms }: Variant): Promise<Memory> {
  const server = await startServer(contender);
  const generator = startGenerator();
  const empty = await settledBytes(server.pid, SETTLE_MS);
  const { ways } = contender;
  await generator.connect({ ports: [server.port], ways, rooms, connections: CONNECTIONS });
  const full = await settledBytes(server.pid, SETTLE_MS);
  const before = cpuMicros(server.pid);
  await sleep(IDLE_MS);
  const idle = (cpuMicros(server.pid) - before) / (IDLE_MS / 1000) / CONNECTIONS;
  await generator.stop();
  await server.stop();
  return { empty, perConnection: (full - empty) / CONNECTIONS, idle };
}
