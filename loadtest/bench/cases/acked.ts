import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { askedOf, type Contender } from '../contenders.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import type { Throughput } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { pidOf } from '../multi/part.ts';
import { startPods, times } from '../multi/pods.ts';
import { cpuMicros } from '../proc.ts';
import { generatorLoad, interleaved, named, spread } from '../rounds.ts';
import type { CaseResult } from '../table.ts';

const PODS = 2;
/** Publishing goes on for so long before anything is counted. */
const LEAD_MS = 500;

interface Setting {
  readonly engine: EngineName;
  readonly rooms: number;
}

/** A single room is the worst case: it has one order. */
const SETTINGS: readonly Setting[] = [
  { engine: 'redis', rooms: 50 },
  { engine: 'redis', rooms: 1 },
  { engine: 'nats', rooms: 1 },
];

/** CPU time in microseconds, divided by the messages published. */
interface Reading extends Throughput {
  readonly pods: number;
  readonly engine: number;
}

interface Subject {
  read(seconds: number): Promise<Reading>;
  stop(): Promise<void>;
}

/** As many messages as two pods acknowledge. */
export async function acked(options: Options): Promise<CaseResult[]> {
  const readings = new Map<string, readonly Reading[]>();
  for (const setting of options.quick ? SETTINGS.slice(0, 1) : SETTINGS)
    for (const [name, some] of await readAll(setting, options)) readings.set(name, some);
  const perSecond = measure('messages/s', 0, readings, (one) => one.messagesPerSecond);
  const pods = measure('pods, CPU µs per message', 0, readings, (one) => one.pods);
  const engine = measure('engine, CPU µs per message', 0, readings, (one) => one.engine);
  return [
    {
      name: 'acked',
      title:
        'Two pods, as many messages as they acknowledge: a publisher for each room, 32 of its messages in flight, one member on the other pod',
      header: ['', ...[perSecond, pods, engine].map(({ figure }) => figure), 'received', 'generator'],
      rows: [...readings].map(([name, some]) => [
        name,
        ...[perSecond, pods, engine].map(({ values }) => spread(values.get(name) ?? [], 0)),
        `${sum(some.map(({ received }) => received))} of ${sum(some.map(({ published }) => published))}`,
        generatorLoad(some),
      ]),
      figures: Object.fromEntries(readings),
      measures: [perSecond, pods, engine],
    },
  ];
}

async function readAll(
  setting: Setting,
  { contenders, against, rounds, seconds, warmUpMs }: Options,
): Promise<Map<string, Reading[]>> {
  const label = `${setting.engine}, ${setting.rooms} ${setting.rooms === 1 ? 'room' : 'rooms'}`;
  const today = [...askedOf(['crosspod'], contenders)].map(
    ([name, contender]) => [`${name}, ${label}`, { contender }] as const,
  );
  const subjects: { name: string; subject: Subject; readings: Reading[] }[] = [];
  for (const [name, { contender }] of withEarlier(new Map(today), against)) {
    const subject = await named(name, open(contender, setting));
    await named(name, subject.read(warmUpMs / 1000));
    subjects.push({ name, subject, readings: [] });
  }
  await interleaved(rounds, subjects, async ({ name, subject, readings }) => {
    readings.push(await named(name, subject.read(seconds)));
  });
  for (const { subject } of subjects) await subject.stop();
  return new Map(subjects.map(({ name, readings }) => [name, readings]));
}

async function open(contender: Contender, { engine: name, rooms }: Setting): Promise<Subject> {
  const engine = await ENGINES[name]();
  const pods = await startPods({ contender, envs: times(PODS, engine.env) });
  await pods.generator.pair({ ports: pods.all.map(({ port }) => port), rooms });
  const [podPids, enginePids] = [pods.all.map(({ pid }) => pid), engine.parts.map(pidOf)];
  return {
    read: async (seconds) => {
      const before = [use(podPids), use(enginePids)] as const;
      const result = await pods.generator.throughput({ seconds, leadMs: LEAD_MS });
      const { published } = result;
      return {
        ...result,
        pods: (use(podPids) - before[0]) / published,
        engine: (use(enginePids) - before[1]) / published,
      };
    },
    stop: async () => {
      await pods.stop();
      await engine.discard();
    },
  };
}

/** What these processes have used so far. */
function use(pids: readonly number[]): number {
  return sum(pids.map(cpuMicros));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
