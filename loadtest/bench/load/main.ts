import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import type {
  Command,
  Commands,
  Connected,
  ConnectOptions,
  Kind,
  PairsOptions,
  Reply,
  Resumed,
  ResumeOptions,
  RunOptions,
  RunResult,
  Throughput,
  ThroughputOptions,
} from './commands.ts';
import { gather, layoutOf } from './crowd.ts';
import { DIALECTS, type Dialect } from './dialect.ts';
import { publisherOf, roomOf, roomOfMessage, wayOf } from './layout.ts';
import { messageData } from './message.ts';
import { Pairs } from './pairs.ts';
import { resumeAll } from './returning.ts';
import { serve } from './serve.ts';
import { Tally } from './tally.ts';

/** How long the last deliveries of a run may take before they count as missing, unless it says. */
const GRACE_MS = 10_000;

let clients: Client[] = [];
let connected: ConnectOptions | undefined;
/** Of each room, when the first connection joined it. */
let positions: string[] = [];
let pairs: Pairs | undefined;
let tally = new Tally(0, { rooms: 1, ports: 1 });
let closed = 0;

async function connect(options: ConnectOptions): Promise<Connected> {
  connected = options;
  positions = [];
  const layout = layoutOf(options);
  tally = new Tally(options.connections, layout);
  let refused = 0;
  const cpu = process.cpuUsage();
  const from = performance.now();
  clients = await gather(options, {
    onJoined: (index, text) => {
      const way = options.ways[wayOf(index, layout, options.ways.length)];
      const dialect: Dialect | undefined = way === undefined ? undefined : DIALECTS[way.dialect];
      if (index < options.rooms) positions[roomOf(index, layout)] = dialect?.resume?.position(text) ?? '';
    },
    onRefused: () => refused++,
    onMessage: (index, number, at) => tally.received(index, number, at),
    onClose: () => closed++,
  });
  const seconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, refused, generatorLoad: (user + system) / 1e6 / seconds };
}

async function run(options: RunOptions): Promise<RunResult> {
  const messages = options.bursts * options.perBurst;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  tally.begin(messages);
  for (let burst = 0; burst < options.bursts; burst++) {
    await sleep(Math.max(0, begin + burst * options.intervalMs - performance.now()));
    publish(options.perBurst);
  }
  const deadline = performance.now() + (options.graceMs ?? GRACE_MS);
  // To the end of the last interval, so that every run of these options lasts equally long.
  await sleep(Math.max(0, begin + options.bursts * options.intervalMs - performance.now()));
  while (tally.deliveries < tally.expected && performance.now() < deadline) await sleep(5);
  const { user, system } = process.cpuUsage(cpu);
  const { all, own, others } = tally.reaches();
  return {
    messages,
    expected: tally.expected,
    deliveries: tally.deliveries,
    disordered: tally.disordered,
    closed,
    p50Ms: all?.p50Ms ?? Number.NaN,
    p99Ms: all?.p99Ms ?? Number.NaN,
    own,
    others,
    generatorLoad: (user + system) / 1000 / (performance.now() - begin),
  };
}

function publish(count: number): void {
  if (connected === undefined) return;
  const layout = layoutOf(connected);
  const data = new Map<number, string[]>();
  for (let sent = 0; sent < count; sent++) {
    const number = tally.sent();
    const publisher = publisherOf(roomOfMessage(number, layout), layout);
    const all = data.get(publisher);
    if (all === undefined) data.set(publisher, [messageData(number)]);
    else all.push(messageData(number));
  }
  for (const [publisher, all] of data) {
    const client = clients[publisher];
    if (client === undefined) throw new Error(`too few connections: none of them has number ${publisher}`);
    client.publish(all);
  }
}

function resume(options: ResumeOptions): Promise<Resumed> {
  if (connected === undefined) throw new Error('nobody has joined before');
  return resumeAll(connected, positions, options);
}

async function pair(options: PairsOptions): Promise<object> {
  pairs = await Pairs.join(options);
  return {};
}

function throughput(options: ThroughputOptions): Promise<Throughput> {
  if (pairs === undefined) throw new Error('there are no pairs');
  return pairs.run(options);
}

const HANDLERS: { readonly [K in Kind]: (options: Commands[K][0]) => Promise<Commands[K][1]> } = {
  connect,
  run,
  resume,
  pair,
  throughput,
};

async function obey<K extends Kind>({ kind, options }: Command<K>): Promise<Reply<K>> {
  return { kind, result: await HANDLERS[kind](options) };
}

serve((command) => obey(command as Command));
