import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { describe, test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import { aWorld, get, metric, PATIENT } from './world.ts';
import { fresh, range } from '../integration/people.ts';
import { Client, until } from '../support/client.ts';
import { type PodProcess, startPodProcess } from '../support/stack/pods.ts';
import { type RedisServer, startRedis } from '../support/stack/redis-server.ts';

type Env = Readonly<Record<string, string>>;

const here = aWorld({ pods: 0 });

/**
 * Pods compare their connections once a second, and move none in the first ten seconds of a pod. Neither can be seen from
 * outside, so that only time shows that they move nobody: the sleeps of these tests. The tests run side by side instead.
 */
const SOME_TICKS_MS = 3_500;
const SETTLED = { timeout: 40_000 };
const SETTLED_MS = 10_000 + SOME_TICKS_MS;
const SIZE = 30;
const KEEN = { REBALANCE_PERCENT: '20', REBALANCE_PER_SECOND: '5', POD_LEASE_SECONDS: '2' };

/** A pod that lives until the test ends. Tests that run side by side need their context for that. */
async function aPod({ onTestFinished }: TestContext, env: Env): Promise<PodProcess> {
  const pod = await startPodProcess('pod', env);
  onTestFinished(() => pod.discard());
  return pod;
}

/** Pods of one deployment, which knows nothing of those of other tests. */
class Deployment {
  readonly #prefix = `${fresh('deployment')}:`;
  readonly #env: Env;
  readonly #context: TestContext;
  readonly #redis: RedisServer;

  constructor(context: TestContext, env: Env, redis = here.redis) {
    this.#context = context;
    this.#redis = redis;
    this.#env = { ...KEEN, REDIS_PREFIX: this.#prefix, ...env };
  }

  pod(env: Env = {}): Promise<PodProcess> {
    return aPod(this.#context, { ...this.#redis.env, ...this.#env, ...env });
  }

  /** Waits until so many pods say how many connections they have. */
  async say(count: number): Promise<void> {
    const loads = `${this.#prefix}realtime:loads`;
    await until(`${count} loads`, async () => (await this.#redis.command('HLEN', loads)) === count);
  }
}

/** Clients of a pod, who do not come back when they are sent away. */
class Crowd {
  readonly #clients: readonly Client[];
  /** With which codes the connections ended, in the order of the ends. */
  readonly codes: number[] = [];

  constructor(clients: readonly Client[]) {
    this.#clients = clients;
    for (const { closed } of clients) void closed.then(({ code }) => this.codes.push(code));
  }

  /** Who is connected still, in the order in which they came. */
  get stay(): number[] {
    return this.#clients.flatMap(({ ws }, index) => (ws.readyState === ws.OPEN ? [index] : []));
  }

  static async on({ wsUrl }: PodProcess, { onTestFinished }: TestContext, size = SIZE): Promise<Crowd> {
    const clients: Client[] = [];
    for (const n of range(1, size)) {
      const ws = new WebSocket(`${wsUrl}/ws?dialect=message&user_id=user-${n}`);
      onTestFinished(() => ws.terminate());
      clients.push(new Client(ws));
      await once(ws, 'open');
    }
    return new Crowd(clients);
  }
}

const movedBy = (pod: PodProcess): Promise<number> => metric(pod, 'realtime_rebalanced_connections');

/** Waits until the pod moves nobody any more, and gives how many it has moved. */
async function atRest({ expect }: TestContext, pod: PodProcess): Promise<number> {
  let moved = -1;
  const unchanged = async (): Promise<boolean> => {
    const before = moved;
    await sleep(SOME_TICKS_MS);
    moved = await movedBy(pod);
    return before === moved;
  };
  await expect.poll(unchanged, { timeout: 60_000 }).toBe(true);
  return moved;
}

async function movesSome({ expect }: TestContext, pod: PodProcess, more = 0): Promise<void> {
  await expect.poll(() => movedBy(pod), SETTLED).toBeGreaterThan(more);
}

const SLOW = { timeout: 110_000 };

describe.concurrent('A pod that has more connections than the one that came', () => {
  test('sends the oldest away with 1012, and counts exactly those', SLOW, async (context) => {
    const { expect } = context;
    const some = new Deployment(context, {});
    const pod = await some.pod();
    const crowd = await Crowd.on(pod, context);
    const other = await some.pod();
    const [young, there] = [await Crowd.on(pod, context, 5), await Crowd.on(other, context, 12)];
    await movesSome(context, pod);
    const moved = await atRest(context, pod);
    await expect.poll(() => crowd.codes, PATIENT).toEqual(range(1, moved).map(() => 1012));
    expect(crowd.stay).toEqual(range(moved, SIZE - 1));
    expect(crowd.stay).not.toEqual([]);
    expect([young.codes, there.codes, await movedBy(other)]).toEqual([[], [], 0]);
    expect((await get(pod, '/ws/stats')).body['connections']).toBe(SIZE - moved + 5);
  });

  test.for<Env>([{ REBALANCE_PERCENT: '0' }, { REBALANCE_PER_SECOND: '0' }])(
    'keeps all of them with %o, while another sends some away',
    SLOW,
    async (off, context) => {
      const { expect } = context;
      const some = new Deployment(context, {});
      const [kept, moving] = [await some.pod(off), await some.pod()];
      const crowds = [await Crowd.on(kept, context), await Crowd.on(moving, context)] as const;
      await some.pod();
      await movesSome(context, moving);
      const moved = await atRest(context, moving);
      expect([await movedBy(kept), crowds[0].codes]).toEqual([0, []]);
      expect(crowds[1].codes).toHaveLength(moved);
    },
  );
});

/** One more without connections makes no difference to whoever may have 2.5 times the mean; two more do. */
const PATIENT_POD = { REBALANCE_PERCENT: '150', DRAIN_DELAY_SECONDS: '100', SHUTDOWN_TIMEOUT_SECONDS: '120' };

test.concurrent.for<[string, (pod: PodProcess) => unknown]>([
  ['is drained', (pod) => void pod.stop()],
  ['was killed', (pod) => pod.kill()],
])('A pod that %s is no longer counted by the others', SLOW, async ([, end], context) => {
  const { expect } = context;
  const some = new Deployment(context, PATIENT_POD);
  const pod = await some.pod();
  const crowd = await Crowd.on(pod, context);
  const ending = await some.pod();
  await some.say(2);
  await end(ending);
  await some.say(1);
  await some.pod();
  await some.say(2);
  await sleep(SETTLED_MS);
  expect([await movedBy(pod), crowd.codes]).toEqual([0, []]);
  await some.pod();
  await movesSome(context, pod);
});

test.concurrent('A pod that shares nothing with others moves nobody', SLOW, async (context) => {
  const { expect } = context;
  const pod = await aPod(context, { REBALANCE_PERCENT: '1', REBALANCE_PER_SECOND: '100' });
  const crowd = await Crowd.on(pod, context);
  await sleep(SETTLED_MS);
  expect([await movedBy(pod), crowd.codes, crowd.stay.length]).toEqual([0, [], SIZE]);
  expect(pod.output()).not.toContain('rebalanced');
});

test.concurrent('Nobody is moved while Redis is away, and it goes on after that', SLOW, async (context) => {
  const { expect } = context;
  const redis = await startRedis();
  context.onTestFinished(() => redis.discard());
  const some = new Deployment(context, { REBALANCE_PER_SECOND: '1' }, redis);
  const pod = await some.pod();
  const crowd = await Crowd.on(pod, context);
  await some.pod();
  await movesSome(context, pod);
  await redis.kill();
  await expect.poll(() => metric(pod, 'realtime_redis_up'), PATIENT).toBe(0);
  const moved = await atRest(context, pod);
  // There were more to move.
  expect(crowd.stay.length).toBeGreaterThan(SIZE / 2);
  await redis.start();
  await movesSome(context, pod, moved);
  expect(pod.output()).not.toContain('could not be rebalanced');
});
