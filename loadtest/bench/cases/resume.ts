import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { askedOf, type Contender } from '../contenders.ts';
import { startGenerator } from '../generator.ts';
import type { Resumed } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { cpuMicros } from '../proc.ts';
import { generatorLoad, interleaved, named, ratio, spread } from '../rounds.ts';
import { startServer } from '../server.ts';
import type { CaseResult } from '../table.ts';

const ROOMS = 100;
const MISSED = 100;
/** Ten in each room, as after a drain. */
const CLIENTS = 1000;
/** What a server does after the last answer belongs to the resumes. */
const SETTLE_MS = 300;
/** Nobody is announced: every client returns within its grace period. */
const ENV = { PRESENCE_GRACE_SECONDS: '300' };

interface Reading extends Resumed {
  /** CPU time of the server with the handshake, in microseconds. */
  readonly perResume: number;
}

interface Subject {
  read(): Promise<Reading>;
  stop(): Promise<void>;
}

/** Clients that come back and missed messages which the server still stores. */
export async function resume(options: Options): Promise<CaseResult[]> {
  const chosen = askedOf(['centrifugo', 'crosspod'], options.contenders);
  const today = new Map([...chosen].map(([name, contender]) => [name, { contender }]));
  const subjects: { name: string; subject: Subject; readings: Reading[] }[] = [];
  for (const [name, { contender }] of withEarlier(today, options.against)) {
    const subject = await named(name, open(contender));
    // So that most of the code is compiled, and every user is known.
    await named(name, subject.read());
    await named(name, subject.read());
    subjects.push({ name, subject, readings: [] });
  }
  await interleaved(options.rounds, subjects, async ({ name, subject, readings }) => {
    readings.push(await named(name, subject.read()));
  });
  for (const { subject } of subjects) await subject.stop();
  return [tableOf(new Map(subjects.map(({ name, readings }) => [name, readings])))];
}

async function open(contender: Contender): Promise<Subject> {
  const server = await startServer({ ...contender, env: { ...contender.env, ...ENV } });
  const generator = startGenerator();
  await generator.connect({ connections: ROOMS, rooms: ROOMS, ports: [server.port], ways: contender.ways });
  await generator.run({ bursts: MISSED, perBurst: ROOMS, intervalMs: 20 });
  return {
    read: async () => {
      const before = cpuMicros(server.pid);
      const resumed = await generator.resume({ clients: CLIENTS, messages: MISSED });
      await sleep(SETTLE_MS);
      return { ...resumed, perResume: (cpuMicros(server.pid) - before) / CLIENTS };
    },
    stop: async () => {
      await generator.stop();
      await server.stop();
    },
  };
}

function tableOf(readings: ReadonlyMap<string, readonly Reading[]>): CaseResult {
  const cpu = measure('CPU µs per resume', 0, readings, (one) => one.perResume);
  const bytes = measure('bytes per resume', 0, readings, (one) => one.bytesPerResume);
  const cells = (name: string): string[] => [
    spread(cpu.values.get(name) ?? [], 0),
    ratio(cpu.values.get(name) ?? [], cpu.values.get('centrifugo')),
    spread(bytes.values.get(name) ?? [], 0),
  ];
  return {
    name: 'resume',
    title: `${CLIENTS} clients return to ${ROOMS} rooms in which they missed ${MISSED} messages (with the handshake)`,
    header: ['server', 'CPU µs per resume', '÷ centrifugo', 'bytes received per resume', 'generator'],
    rows: [...readings].map(([name, some]) => [name, ...cells(name), generatorLoad(some)]),
    figures: Object.fromEntries(readings),
    measures: [cpu, bytes],
  };
}
