import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../../arguments.ts';
import type { RunOptions, RunResult } from '../../load/commands.ts';
import { Member } from '../../multi/member.ts';
import { type Pods, podAt, startPods } from '../../multi/pods.ts';
import { spread } from '../../rounds.ts';
import { type RedisServer, startRedis } from '../../../../test/support/stack/redis-server.ts';
import { until } from '../../../../test/support/stack/until.ts';
import { startProxy } from '../../../../test/support/proxy.ts';
import type { CaseResult } from '../../table.ts';

const MISSED = 10_000;
const ROOM = 'bench';
/** 5,000 messages a second. */
const RUN: RunOptions = { bursts: MISSED / 100, perBurst: 100, intervalMs: 20, graceMs: 45_000 };
const HISTORY = `realtime:history:${ROOM}`;
/** Half of them on each pod. */
const CONNECTIONS = 20;

/** In milliseconds. */
interface Reading {
  /** From the moment the network is there again to the first and the last missed message. */
  readonly first: number;
  readonly last: number;
  /** From the moment the frozen pod goes on to the last message it missed. */
  readonly thawed: number;
  /** From the handshake to the last message. */
  readonly resumed: number;
}

/** How long it takes to catch up with what was missed. */
export async function multiCatchUp({ rounds }: Options): Promise<CaseResult[]> {
  const redis = await startRedis();
  const proxy = await startProxy(redis.port);
  const settings = { HISTORY_SIZE: String(MISSED) };
  const behindProxy = { ...settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}` };
  const pods = await startPods({ envs: [{ ...redis.env, ...settings }, behindProxy] });
  await pods.connect({ connections: CONNECTIONS, rooms: 1 });
  const readings: Reading[] = [];
  for (let round = 0; round < Math.ceil(rounds / 3) + 1; round++) {
    const { pid } = podAt(pods, 1);
    const cut = (): void => {
      proxy.silence();
      proxy.breakAll();
    };
    const absent = await miss(pods, redis, { begin: cut, end: () => proxy.resume() });
    const frozen = await miss(pods, redis, {
      begin: () => process.kill(pid, 'SIGSTOP'),
      end: () => process.kill(pid, 'SIGCONT'),
    });
    readings.push({ ...absent, thawed: frozen.last, resumed: await resume(pods) });
  }
  await pods.stop();
  await proxy.stop();
  await redis.discard();
  // The first was to warm up.
  return [tableOf(readings.slice(1))];
}

/** Publishes while the pod hears nothing; gives when its members had the first and the last message after that. */
async function miss(
  pods: Pods,
  redis: RedisServer,
  absence: { begin(): void; end(): void },
): Promise<{ first: number; last: number }> {
  const newest = await position(redis);
  absence.begin();
  const running = pods.generator.run(RUN);
  // It may fail before it is awaited.
  running.catch(() => undefined);
  const published = async (): Promise<boolean> => {
    const [count, now] = [Number(await redis.command('XLEN', HISTORY)), await position(redis)];
    const oldest = (await redis.command('XRANGE', HISTORY, '-', '+', 'COUNT', '1')) as [string, string[]][];
    const [, , , beforeOldest] = oldest[0]?.[1] ?? [];
    return count === MISSED && now !== newest && (newest === '' || beforeOldest === newest);
  };
  await until(`${MISSED} messages in the history`, published, 30_000);
  const at = performance.timeOrigin + performance.now();
  absence.end();
  const { others }: RunResult = await running;
  await sleep(1000);
  if (others === undefined) throw new Error('there is nobody on the other pod');
  return { first: others.firstAt - at, last: others.lastAt - at };
}

/** The room's newest position. */
async function position(redis: RedisServer): Promise<string> {
  const last = (await redis.command('HGET', `realtime:state:${ROOM}`, 'last')) as string | null;
  return last ?? '';
}

/** A client that comes back, to the pod that published and after that many messages. */
async function resume(pods: Pods): Promise<number> {
  const { port } = podAt(pods, 0);
  const { member, joined } = await Member.join(port, ROOM, { user_id: 'returning' });
  member.close();
  const after = joined.data?.position ?? '';
  await pods.generator.run(RUN);
  const began = performance.now();
  let count = 0;
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const again = await Member.join(port, ROOM, { user_id: 'returning', last_id: after }, ({ type }) => {
    if (type === 'chat' && ++count === MISSED) resolve();
  });
  const { recovered, replayed } = again.joined.data ?? {};
  await Promise.race([all, sleep(30_000)]);
  const took = performance.now() - began;
  again.member.close();
  if (recovered !== true || count !== MISSED)
    throw new Error(`recovered: ${recovered}, replayed: ${replayed}, ${count} of ${MISSED} messages came`);
  return took;
}

function tableOf(readings: readonly Reading[]): CaseResult {
  const row = (label: string, of: (reading: Reading) => number): string[] => {
    const values = readings.map(of);
    return [
      label,
      spread(values, 0),
      spread(
        values.map((ms) => (ms * 1000) / MISSED),
        0,
      ),
    ];
  };
  return {
    name: 'multi-catch-up',
    title: `Catching up with ${MISSED} messages; ${CONNECTIONS / 2} members on the pod that missed them`,
    header: ['', 'ms', 'µs per message'],
    rows: [
      row('Redis can be reached again: the first', ({ first }) => first),
      row('Redis can be reached again: all', ({ last }) => last),
      row('the pod goes on after SIGSTOP: all', ({ thawed }) => thawed),
      row('a client with last_id: all', ({ resumed }) => resumed),
    ],
    figures: readings,
  };
}
