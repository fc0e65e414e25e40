import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../../arguments.ts';
import type { Reach, RunOptions, RunResult } from '../../load/commands.ts';
import { pidOf } from '../../multi/part.ts';
import { type Pods, startPods, times } from '../../multi/pods.ts';
import { cpuMicros } from '../../proc.ts';
import { ratio, spread } from '../../rounds.ts';
import { type RedisServer, startRedis } from '../../../stack/redis-server.ts';
import type { CaseResult } from '../../table.ts';
import { SPARSE, during } from '../fan-out.ts';

const WARM_UP_SECONDS = 2;
const PAUSE_MS = 300;

export interface Crowd {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  readonly rooms: number;
  readonly pace: { readonly perBurst: number; readonly intervalMs: number };
}

/** One room of 1,000, half of them on each pod; pod 1 publishes. */
export const ONE_ROOM: Crowd = {
  name: 'one room',
  title: 'One room of 1,000, 20 messages/s',
  connections: 1000,
  rooms: 1,
  pace: SPARSE,
};
/** 200 rooms of 10, five of them on each pod; half of the messages come from each. */
export const MANY_ROOMS: Crowd = {
  name: 'many rooms',
  title: '200 rooms of 10, 400 messages/s altogether',
  connections: 2000,
  rooms: 200,
  pace: { perBurst: 1, intervalMs: 2.5 },
};

interface Variant {
  readonly name: string;
  readonly pods: number;
  readonly hasRedis: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: 'one pod, memory', pods: 1, hasRedis: false },
  { name: 'one pod, Redis', pods: 1, hasRedis: true },
  { name: 'two pods, Redis', pods: 2, hasRedis: true },
];

/** CPU time in microseconds. */
interface Reading extends RunResult {
  /** Of each pod, divided by the messages its own members received. */
  readonly pods: readonly number[];
  /** Of all pods, divided by all messages received. */
  readonly together: number;
  /** Of Redis, divided the same way; 0 where there is none. */
  readonly redis: number;
}

interface Subject {
  readonly variant: Variant;
  readonly pods: Pods;
  readonly redis: RedisServer | undefined;
  readonly readings: Reading[];
}

/** What a delivery costs with two pods and Redis, and how soon it is there; and what Redis has to do with it. */
export async function multiFanOut(options: Options): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const crowd of [ONE_ROOM, MANY_ROOMS]) {
    const readings = await measure(crowd, options);
    results.push(costs(crowd, readings), delays(crowd, readings));
  }
  return results;
}

async function measure(crowd: Crowd, { rounds, seconds }: Options): Promise<Map<string, Reading[]>> {
  const subjects: Subject[] = [];
  for (const variant of VARIANTS) subjects.push(await open(variant, crowd));
  for (const subject of subjects) await read(subject, during(WARM_UP_SECONDS, crowd.pace));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const subject = subjects[(round + turn) % subjects.length];
      if (subject === undefined) continue;
      await sleep(PAUSE_MS);
      subject.readings.push(await read(subject, during(seconds, crowd.pace)));
    }
  }
  for (const { pods, redis } of subjects) {
    await pods.stop();
    await redis?.discard();
  }
  return new Map(subjects.map(({ variant, readings }) => [variant.name, readings]));
}

async function open(variant: Variant, { connections, rooms }: Crowd): Promise<Subject> {
  const redis = variant.hasRedis ? await startRedis() : undefined;
  const pods = await startPods({ envs: times(variant.pods, redis?.env ?? {}) });
  await pods.connect({ connections, rooms });
  return { variant, pods, redis, readings: [] };
}

async function read({ pods, redis }: Subject, run: RunOptions): Promise<Reading> {
  const pids = [...pods.all.map(({ pid }) => pid), ...(redis === undefined ? [] : [pidOf(redis)])];
  const before = pids.map(cpuMicros);
  const result = await pods.generator.run(run);
  const used = pids.map((pid, index) => cpuMicros(pid) - (before[index] ?? 0));
  const ofPods = used.slice(0, pods.all.length);
  const own = result.deliveries / pods.all.length;
  return {
    ...result,
    pods: ofPods.map((micros) => micros / own),
    together: ofPods.reduce((sum, micros) => sum + micros, 0) / result.deliveries,
    redis: (used[pods.all.length] ?? 0) / result.deliveries,
  };
}

function costs({ name, title }: Crowd, readings: ReadonlyMap<string, readonly Reading[]>): CaseResult {
  const together = [...readings.values()].map((all) => all.map((one) => one.together));
  return {
    name: `multi-fan-out ${name}`,
    title: `${title} (CPU µs per delivery; Redis also per message)`,
    header: ['', 'pod 1', 'pod 2', 'pods together', '÷ memory', 'Redis', 'Redis per message', 'generator'],
    rows: [...readings].map(([label, all], index) => [
      label,
      ...[0, 1].map((pod) => spread(podsFigure(all, pod), 2)),
      spread(together[index] ?? [], 2),
      ratio(together[index] ?? [], together[0]),
      spread(
        all.map((one) => one.redis),
        2,
      ),
      spread(
        all.map((one) => (one.redis * one.deliveries) / one.messages),
        0,
      ),
      `${Math.round(Math.max(...all.map((one) => one.generatorLoad)) * 100)} %`,
    ]),
    figures: Object.fromEntries(readings),
  };
}

function podsFigure(readings: readonly Reading[], pod: number): number[] {
  return readings.map(({ pods }) => pods[pod]).filter((figure) => figure !== undefined);
}

function delays({ name, title }: Crowd, readings: ReadonlyMap<string, readonly Reading[]>): CaseResult {
  const cells = (reaches: readonly (Reach | undefined)[]): string[] => {
    const there = reaches.filter((reach) => reach !== undefined);
    return [there.map(({ p50Ms }) => p50Ms), there.map(({ p99Ms }) => p99Ms)].map((all) => spread(all, 1));
  };
  return {
    name: `multi-delay ${name}`,
    title: `${title} (publish to receive, ms)`,
    header: ['', 'own pod p50', 'own pod p99', 'other pod p50', 'other pod p99', 'received'],
    rows: [...readings].map(([label, all]) => [
      label,
      ...cells(all.map(({ own }) => own)),
      ...cells(all.map(({ others }) => others)),
      `${sum(all.map((one) => one.deliveries))} of ${sum(all.map((one) => one.expected))}`,
    ]),
    figures: {},
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
