import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { anotherPod, aWorld, get, metric, PATIENT } from './world.ts';
import { fresh, guest, range } from '../integration/people.ts';
import { type Client, until } from '../support/client.ts';
import type { PodProcess } from '../support/stack/pods.ts';

type Env = Readonly<Record<string, string>>;

const here = aWorld({ pods: 0 });

/** Pods look at each other once a second. */
const SOME_TICKS_MS = 3_500;
/** Nobody is moved in the first ten seconds of a pod. */
const SETTLED = { timeout: 40_000 };
const SETTLED_MS = 10_000 + SOME_TICKS_MS;
const SIZE = 30;
const KEEN = { REBALANCE_PERCENT: '20', REBALANCE_PER_SECOND: '5', POD_LEASE_SECONDS: '2' };

/** Pods of one deployment, which knows nothing of those of other tests. */
class Deployment {
  readonly #prefix = `${fresh('deployment')}:`;
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = { ...KEEN, REDIS_PREFIX: this.#prefix, ...env };
  }

  pod(env: Env = {}): Promise<PodProcess> {
    return here.pod({ ...this.#env, ...env });
  }

  /** Waits until so many pods say how many connections they have. */
  async say(count: number): Promise<void> {
    const loads = `${this.#prefix}realtime:loads`;
    await until(`${count} loads`, async () => (await here.redis.command('HLEN', loads)) === count);
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

  static async on(pod: PodProcess, size = SIZE): Promise<Crowd> {
    const clients: Client[] = [];
    for (const n of range(1, size)) clients.push(await guest(pod, `user-${n}`));
    return new Crowd(clients);
  }
}

const movedBy = (pod: PodProcess): Promise<number> => metric(pod, 'realtime_rebalanced_connections');

/** Waits until the pod moves nobody any more, and gives how many it has moved. */
async function atRest(pod: PodProcess): Promise<number> {
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

async function movesSome(pod: PodProcess, more = 0): Promise<void> {
  await expect.poll(() => movedBy(pod), SETTLED).toBeGreaterThan(more);
}

const SLOW = { timeout: 110_000 };

describe('A pod that has more connections than the one that came', () => {
  test('sends the oldest away with 1012, and counts exactly those', SLOW, async () => {
    const some = new Deployment({});
    const pod = await some.pod();
    const crowd = await Crowd.on(pod);
    const other = await some.pod();
    const [young, there] = [await Crowd.on(pod, 5), await Crowd.on(other, 12)];
    await movesSome(pod);
    const moved = await atRest(pod);
    await expect.poll(() => crowd.codes, PATIENT).toEqual(range(1, moved).map(() => 1012));
    expect(crowd.stay).toEqual(range(moved, SIZE - 1));
    expect(crowd.stay).not.toEqual([]);
    expect([young.codes, there.codes, await movedBy(other)]).toEqual([[], [], 0]);
    expect((await get(pod, '/ws/stats')).body['connections']).toBe(SIZE - moved + 5);
  });

  test.each<Env>([{ REBALANCE_PERCENT: '0' }, { REBALANCE_PER_SECOND: '0' }])(
    'keeps all of them with %o, while another sends some away',
    SLOW,
    async (off) => {
      const some = new Deployment({});
      const [kept, moving] = [await some.pod(off), await some.pod()];
      const crowds = [await Crowd.on(kept), await Crowd.on(moving)] as const;
      await some.pod();
      await movesSome(moving);
      const moved = await atRest(moving);
      expect([await movedBy(kept), crowds[0].codes]).toEqual([0, []]);
      expect(crowds[1].codes).toHaveLength(moved);
    },
  );
});

/** One more without connections makes no difference to whoever may have 2.5 times the mean; two more do. */
const PATIENT_POD = { REBALANCE_PERCENT: '150', DRAIN_DELAY_SECONDS: '100', SHUTDOWN_TIMEOUT_SECONDS: '120' };

test.each<[string, (pod: PodProcess) => unknown]>([
  ['is drained', (pod) => void pod.stop()],
  ['was killed', (pod) => pod.kill()],
])('A pod that %s is no longer counted by the others', SLOW, async (_, end) => {
  const some = new Deployment(PATIENT_POD);
  const pod = await some.pod();
  const crowd = await Crowd.on(pod);
  const ending = await some.pod();
  await some.say(2);
  await end(ending);
  await some.say(1);
  await some.pod();
  await some.say(2);
  await sleep(SETTLED_MS);
  expect([await movedBy(pod), crowd.codes]).toEqual([0, []]);
  await some.pod();
  await movesSome(pod);
});

test('A pod that shares nothing with others moves nobody', async () => {
  const pod = await anotherPod({ REBALANCE_PERCENT: '1', REBALANCE_PER_SECOND: '100' });
  const crowd = await Crowd.on(pod);
  await sleep(SETTLED_MS);
  expect([await movedBy(pod), crowd.codes, crowd.stay.length]).toEqual([0, [], SIZE]);
  expect(pod.output()).not.toContain('rebalanced');
});

test('Nobody is moved while Redis is away, and it goes on after that', SLOW, async () => {
  const some = new Deployment({ REBALANCE_PER_SECOND: '1' });
  const pod = await some.pod();
  const crowd = await Crowd.on(pod);
  await some.pod();
  await movesSome(pod);
  await here.redis.kill();
  await expect.poll(() => metric(pod, 'realtime_redis_up'), PATIENT).toBe(0);
  const moved = await atRest(pod);
  // There were more to move.
  expect(crowd.stay.length).toBeGreaterThan(SIZE / 2);
  await here.redis.start();
  await movesSome(pod, moved);
  expect(pod.output()).not.toContain('could not be rebalanced');
});
