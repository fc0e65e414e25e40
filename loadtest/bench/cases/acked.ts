import type { Options } from '../arguments.ts';
import { withEarlier } from '../build.ts';
import { askedOf, type Contender } from '../contenders.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import type { Throughput } from '../load/commands.ts';
import { measure } from '../measure.ts';
import { startPods, times } from '../multi/pods.ts';
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

interface Subject {
  read(seconds: number): Promise<Throughput>;
  stop(): Promise<void>;
}

/** As many messages as two pods acknowledge. */
export async function acked(options: Options): Promise<CaseResult[]> {
  const readings = new Map<string, readonly Throughput[]>();
  for (const setting of options.quick ? SETTINGS.slice(0, 1) : SETTINGS)
    for (const [name, some] of await readAll(setting, options)) readings.set(name, some);
  const perSecond = measure('messages/s', 0, readings, (one) => one.messagesPerSecond);
  return [
    {
      name: 'acked',
      title:
        'Two pods, as many messages as they acknowledge: a publisher for each room, 32 of its messages in flight, one member on the other pod',
      header: ['', 'messages/s', 'received', 'generator'],
      rows: [...readings].map(([name, some]) => [
        name,
        spread(perSecond.values.get(name) ?? [], 0),
        `${sum(some.map(({ received }) => received))} of ${sum(some.map(({ published }) => published))}`,
        generatorLoad(some),
      ]),
      figures: Object.fromEntries(readings),
      measures: [perSecond],
    },
  ];
}

async function readAll(
  setting: Setting,
  { contenders, against, rounds, seconds, warmUpMs }: Options,
): Promise<Map<string, Throughput[]>> {
  const label = `${setting.engine}, ${setting.rooms} ${setting.rooms === 1 ? 'room' : 'rooms'}`;
  const today = [...askedOf(['crosspod'], contenders)].map(
    ([name, contender]) => [`${name}, ${label}`, { contender }] as const,
  );
  const subjects: { name: string; subject: Subject; readings: Throughput[] }[] = [];
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
  return {
    read: (seconds) => pods.generator.throughput({ seconds, leadMs: LEAD_MS }),
    stop: async () => {
      await pods.stop();
      await engine.discard();
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
