import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { Command, ConnectOptions, Reply, RunOptions, RunResult } from './commands.ts';
import { gather, layoutOf } from './crowd.ts';
import { publisherOf, roomOfMessage } from './layout.ts';
import { messageData } from './message.ts';
import { serve } from './serve.ts';
import { Tally } from './tally.ts';

/** How long the last deliveries of a run may take before they count as missing, unless it says. */
const GRACE_MS = 10_000;

let clients: Client[] = [];
let connected: ConnectOptions | undefined;
let tally = new Tally(0, { rooms: 1, ports: 1 });
let closed = 0;

async function join(options: ConnectOptions): Promise<Reply> {
  connected = options;
  tally = new Tally(options.connections, layoutOf(options));
  clients = await gather(options, {
    onMessage: (index, number, at) => tally.received(index, number, at),
    onClose: () => closed++,
  });
  return { kind: 'connected' };
}

async function run(options: RunOptions): Promise<Reply> {
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
  const result: RunResult = {
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
  return { kind: 'ran', result };
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

function obey(command: Command): Promise<Reply> {
  return command.kind === 'connect' ? join(command.options) : run(command.options);
}

serve((command) => obey(command as Command));
