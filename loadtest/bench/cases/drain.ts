import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../arguments.ts';
import type { Account, Handover } from '../drain/commands.ts';
import { type DrainLoad, startDrainLoad } from '../drain/load.ts';
import { type Pods, podAt, startPods, times } from '../multi/pods.ts';
import { cpuMicros, residentBytes } from '../proc.ts';
import { spread } from '../rounds.ts';
import { startRedis } from '../../../test/support/stack/redis-server.ts';
import type { CaseResult } from '../table.ts';

const PER_ROOM = 10;
const WINDOW_SECONDS = 30;
const SETTINGS = {
  DRAIN_WINDOW_SECONDS: String(WINDOW_SECONDS),
  SHUTDOWN_TIMEOUT_SECONDS: '45',
  // The schedule counts on what a pod lets in by default.
  HANDSHAKES_PER_SECOND: '500',
  // Before the drain everybody is to stay where they are.
  REBALANCE_PERCENT: '0',
};
/** A pod that is not gone by then is killed, and the run fails. */
const EXIT_TIMEOUT_MS = 60_000;
/** What new connections have allocated is collected before the first look at memory and CPU. */
const SETTLE_MS = 3000;
/** Leases are renewed every three seconds: a look at the CPU sees several of them. */
const WINDOWS = 3;

/** A look at the CPU of a process: its share of a core, over these seconds. */
interface Use {
  readonly share: number;
  readonly seconds: number;
}

interface Reading extends Handover, Account {
  /** From SIGTERM to the last one who joined again, and to the end of the process. */
  readonly backSeconds: number;
  readonly exitSeconds: number;
  /** Of the receiving pod: nobody there but publishers; while they come; everybody there. */
  readonly before: Use;
  readonly during: Use;
  readonly after: Use;
  /** In microseconds: what the receiving pod used beyond its traffic, which grows evenly while they come. */
  readonly perReconnect: number;
  /** Of the receiving pod, in bytes. */
  readonly rssBefore: number;
  readonly rssAfter: number;
}

/** All connections of a pod move to another one while messages are published: how even, how soon, is all there. */
export async function drain(options: Options): Promise<CaseResult[]> {
  const readings: Reading[] = [];
  for (let round = 0; round < options.rounds; round++) readings.push(await measure(options));
  return [tableOf(readings, options.connections)];
}

async function measure({ connections, seconds }: Options): Promise<Reading> {
  const redis = await startRedis();
  const pods = await startPods({ envs: times(2, { ...redis.env, ...SETTINGS }) });
  const load = startDrainLoad();
  try {
    const [from, to] = [podAt(pods, 0).port, podAt(pods, 1).port];
    await load.gather({ from, to, connections, rooms: Math.ceil(connections / PER_ROOM) });
    await sleep(SETTLE_MS);
    return await empty(pods, load, { connections, lookMs: seconds * WINDOWS * 1000 });
  } finally {
    await load.stop();
    await pods.stop();
    await redis.discard();
  }
}

/** Drains the first pod into the second. */
async function empty(
  pods: Pods,
  load: DrainLoad,
  { connections, lookMs }: { connections: number; lookMs: number },
): Promise<Reading> {
  const { pid } = podAt(pods, 1);
  const before = await use(pid, () => sleep(lookMs));
  const rssBefore = residentBytes(pid);
  const startedAt = performance.timeOrigin + performance.now();
  const exiting = exit(pods, startedAt);
  // It may fail before it is awaited.
  exiting.catch(() => undefined);
  const during = await use(pid, () => load.follow());
  const exitSeconds = await exiting;
  const after = await use(pid, () => sleep(lookMs));
  const rssAfter = residentBytes(pid);
  const account = await load.settle();
  const traffic = (before.share + after.share) / 2;
  return {
    ...during.result,
    ...account,
    backSeconds: (during.result.lastBackAt - startedAt) / 1000,
    exitSeconds,
    before,
    during,
    after,
    perReconnect: ((during.share - traffic) * during.seconds * 1e6) / connections,
    rssBefore,
    rssAfter,
  };
}

/** Ends the first pod; resolves with how long that took, in seconds. */
async function exit(pods: Pods, startedAt: number): Promise<number> {
  const code = await podAt(pods, 0).stop(EXIT_TIMEOUT_MS);
  if (code !== 0) throw new Error(`the pod that was drained ended with ${code}`);
  return (performance.timeOrigin + performance.now() - startedAt) / 1000;
}

async function use<Result>(pid: number, act: () => Promise<Result>): Promise<Use & { result: Result }> {
  const [cpu, began] = [cpuMicros(pid), performance.now()];
  const result = await act();
  const [used, passed] = [cpuMicros(pid) - cpu, performance.now() - began];
  return { result, share: used / 1000 / passed, seconds: passed / 1000 };
}

function tableOf(readings: readonly Reading[], connections: number): CaseResult {
  const mean = connections / WINDOW_SECONDS;
  const row = (label: string, digits: number, of: (reading: Reading) => number): string[] => [
    label,
    spread(readings.map(of), digits),
  ];
  return {
    name: 'drain',
    title: `A pod with ${connections} connections drained into another one in ${WINDOW_SECONDS} s, a message per room and second`,
    header: ['', 'median'],
    rows: [
      row('SIGTERM to the last one joined again, s', 1, ({ backSeconds }) => backSeconds),
      row('SIGTERM to the end of the pod, s', 1, ({ exitSeconds }) => exitSeconds),
      row('reconnects in the worst second (sliding)', 0, ({ worstSecond }) => worstSecond),
      row('reconnects per second over the window', 0, () => mean),
      row('worst second ÷ mean', 2, ({ worstSecond }) => worstSecond / mean),
      row('handshakes refused (429 and 503)', 0, ({ refused }) => refused),
      row('without delivery, p50 ms', 1, ({ gapP50Ms }) => gapP50Ms),
      row('without delivery, p99 ms', 1, ({ gapP99Ms }) => gapP99Ms),
      row('without delivery, longest ms', 1, ({ gapMaxMs }) => gapMaxMs),
      row('deliveries', 0, ({ expected }) => expected),
      row('… of them replayed', 0, ({ replayed }) => replayed),
      row('messages lost', 0, ({ lost }) => lost),
      row('messages repeated', 0, ({ repeated }) => repeated),
      row('receiving pod before, % of a core', 1, ({ before }) => before.share * 100),
      row('receiving pod meanwhile, % of a core', 1, ({ during }) => during.share * 100),
      row('receiving pod after, % of a core', 1, ({ after }) => after.share * 100),
      row('receiving pod, CPU µs per reconnect', 0, ({ perReconnect }) => perReconnect),
      row('receiving pod before, MiB resident', 0, ({ rssBefore }) => rssBefore / 2 ** 20),
      row('receiving pod after, MiB resident', 0, ({ rssAfter }) => rssAfter / 2 ** 20),
      row('load meanwhile, % of a core', 0, ({ load }) => load * 100),
    ],
    figures: readings,
  };
}
