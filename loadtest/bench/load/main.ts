import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { Command, ConnectOptions, Reply, RunOptions, RunResult } from './commands.ts';
import { gather } from './crowd.ts';
import { DIALECTS } from './dialect.ts';
import { messageData } from './message.ts';
import { Tally } from './tally.ts';

/** How long the last deliveries of a run may take before they count as missing. */
const GRACE_MS = 10_000;

let clients: Client[] = [];
let connected: ConnectOptions | undefined;
let tally = new Tally(0);
let closed = 0;

async function join(options: ConnectOptions): Promise<Reply> {
  connected = options;
  tally = new Tally(options.connections);
  clients = await gather(options, {
    onMessage: (index, number, at) => tally.received(index, number, at),
    onClose: () => closed++,
  });
  return { kind: 'connected' };
}

async function run(options: RunOptions): Promise<Reply> {
  const messages = options.bursts * options.perBurst;
  const expected = messages * clients.length;
  const cpu = process.cpuUsage();
  const begin = performance.now();
  tally.begin(messages);
  for (let burst = 0; burst < options.bursts; burst++) {
    await sleep(Math.max(0, begin + burst * options.intervalMs - performance.now()));
    publish(options.perBurst);
  }
  const deadline = performance.now() + GRACE_MS;
  // To the end of the last interval, so that every run of these options lasts equally long.
  await sleep(Math.max(0, begin + options.bursts * options.intervalMs - performance.now()));
  while (tally.deliveries < expected && performance.now() < deadline) await sleep(5);
  const { user, system } = process.cpuUsage(cpu);
  const result: RunResult = {
    messages,
    expected,
    deliveries: tally.deliveries,
    disordered: tally.disordered,
    closed,
    ...tally.latencies(),
    generatorLoad: (user + system) / 1000 / (performance.now() - begin),
  };
  return { kind: 'ran', result };
}

function publish(count: number): void {
  const dialect = DIALECTS[connected?.dialect ?? 'plain'];
  clients[0]?.send(Array.from({ length: count }, () => dialect.publish(messageData(tally.sent()))));
}

function obey(command: Command): Promise<Reply> {
  return command.kind === 'connect' ? join(command.options) : run(command.options);
}

process.on('message', (command: Command) => {
  obey(command)
    .catch((error: unknown): Reply => ({ kind: 'failed', error: String(error) }))
    .then((reply) => process.send?.(reply))
    .catch(() => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
