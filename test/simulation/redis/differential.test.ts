import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../support/stack/redis-server.ts';
import { Random } from '../../hostile/random.ts';
import { TestClock } from '../../support/test-clock.ts';
import { type Invocation, ComparingProxy } from './differential/proxy.ts';
import { RandomPod } from './differential/pods.ts';
import { Pair } from './differential/pair.ts';
import { CHANNELS, Sequence } from './differential/sequences.ts';
import { Model, RealSide } from './differential/sides.ts';
import type { Parsed } from './differential/wire.ts';
import { Lua } from './lua.ts';

const SEED = 20;
const lua = new Lua();
let redis: RedisServer;
/** What the product has called. */
let invocations: readonly Invocation[];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.discard());

test('pods are answered the same by the model as by Redis, and hear the same', async () => {
  const random = Random.of(SEED, 0);
  const clock = new TestClock(1_700_000_000_000);
  const proxy = new ComparingProxy({ port: redis.port, lua, now: () => clock.now() });
  const port = await proxy.start();
  const positions: string[] = [];
  const pods = ['one', 'two', 'three'].map((name) => new RandomPod({ name, port, clock, random, positions }));
  await Promise.all(pods.map((pod) => pod.start()));
  await proxy.settle();
  for (let round = 0; round < 60; round += 1) {
    const acting = round < 40 ? pods : pods.slice(1);
    if (round === 40) pods[0]?.die();
    await Promise.all(Array.from({ length: 12 }, () => random.pick(acting).act()));
    clock.advance(random.pick([0, 1, 20, 200, 1_500, 3_000]));
    await proxy.settle();
    expect(proxy.differences).toEqual([]);
  }
  for (const pod of pods) pod.die();
  await proxy.settle();
  proxy.stop();
  invocations = proxy.invocations;
  expect(invocations.length).toBeGreaterThan(300);
});

/** States of a server in which it refuses something: how the real one gets there and back, and the model. */
const STATES: readonly {
  readonly name: string;
  readonly begins: readonly (readonly string[])[];
  readonly ends: readonly (readonly string[])[];
  readonly model: (model: Model) => void;
}[] = [
  {
    name: 'too few replicas',
    begins: [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
    ends: [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
    model: ({ server }) => (server.refuseWrites = 'NOREPLICAS'),
  },
  {
    name: 'no memory left',
    begins: [['CONFIG', 'SET', 'maxmemory', '1']],
    ends: [['CONFIG', 'SET', 'maxmemory', '0']],
    model: ({ server }) => (server.refuseWrites = 'OOM'),
  },
  {
    name: 'a replica',
    begins: [['REPLICAOF', '127.0.0.1', '1']],
    ends: [['REPLICAOF', 'NO', 'ONE']],
    model: ({ server }) => server.replicaOf(new Model(lua).server),
  },
  {
    name: 'rights taken away',
    begins: [['ACL', 'SETUSER', 'default', '-xadd', '-hdel', '-publish']],
    ends: [['ACL', 'SETUSER', 'default', '+@all']],
    model: ({ server }) => ['xadd', 'hdel', 'publish'].forEach((command) => server.deny({ command })),
  },
];

test.each([
  [2, 'RESP2'],
  [3, 'RESP3'],
])(
  'sequences of commands and of the scripts are answered the same, and leave the same data (%i)',
  { timeout: 180_000 },
  async (protocol) => {
    const admin = await RealSide.connect(redis.port);
    await admin.ask([
      ['ACL', 'SETUSER', 'operator', 'on', 'nopass', '~*', '&*', '+@all'],
      ['AUTH', 'operator', ''],
    ]);
    for (let seed = 0; seed < 40; seed += 1) {
      const random = Random.of(SEED + protocol, seed);
      const model = new Model(lua);
      const real = await RealSide.connect(redis.port);
      const pair = new Pair(real, model);
      await admin.ask([['FLUSHALL']]);
      if (protocol === 3) {
        await pair.prepare(['HELLO', '3']);
        await pair.prepare(['SUBSCRIBE', ...CHANNELS], 1);
        await pair.prepare(['SSUBSCRIBE', ...CHANNELS], 1);
      }
      const sequence = new Sequence(random, invocations);
      await pair.ask(sequence.loading());
      for (let round = 0; round < 12; round += 1) {
        const state = random.chance(0.4) && protocol === 2 ? random.pick(STATES) : undefined;
        await admin.ask([...(state?.begins ?? []), ['PING']]);
        state?.model(model);
        try {
          await pair.ask([
            ...Array.from({ length: 25 }, () => sequence.next()),
            ...(round % 3 === 0 ? sequence.probing() : []),
          ]);
        } catch (error) {
          throw new Error(`seed ${seed}, round ${round}, ${state?.name ?? 'well'}: ${String(error)}`, {
            cause: error,
          });
        } finally {
          await admin.ask([...(state?.ends ?? []), ['PING']]);
        }
        model.server.refuseWrites = undefined;
        if (model.server.role === 'replica') model.server.promote();
        model.server.allowAll();
      }
      const [keys] = await pair.ask([['KEYS', '*']]);
      const names = ((keys?.value ?? []) as Parsed[]).map(({ value }) =>
        Buffer.from(value as string, 'latin1').toString(),
      );
      await pair.ask(sequence.reading(names));
      real.close();
    }
    admin.close();
  },
);
