import { expect, test } from 'vitest';
import { clusterAndPods, clusterOf, historyIn, leavesSeenBy, roomOfEach } from './world.ts';
import { crowdOn, expectHonesty, throughout } from '../../faults/crowd.ts';
import { eventually, podOn, podsOn, presenceIs, readiness, ready, SLOW } from '../../faults/world.ts';
import { expectEverythingOnce } from '../../faults/judge.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from '../../support/stack/redis-server.ts';
import { Witness } from '../../faults/witness.ts';

const EVERYBODY = ['alice', 'bob', 'carol', 'quiet', 'absent'];

test(
  'a master is killed under load: its replica takes over, and rooms of other masters notice nothing',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const [[master, room] = [], [, otherRoom] = []] = [...(await roomOfEach(cluster))];
    const [crowd, others] = [await crowdOn(pods, room), await crowdOn(pods, otherRoom)];
    const { slot } = await historyIn(cluster, crowd.room);
    await throughout(others, () =>
      throughout(crowd, async () => {
        await master?.kill();
        await eventually('another master', async () => (await cluster.masterOf(slot)) !== master);
      }),
    );
    await expectHonesty(await historyIn(cluster, crowd.room), crowd);
    await others.absent.return(pods[1]);
    await expectEverythingOnce([...others.everybody, others.absent], others.speakers);
    for (const one of others.everybody) {
      expect(one.losses()).toEqual([]);
      expect(one.heard().filter(({ isProvisional }) => isProvisional)).toEqual([]);
    }
    for (const name of [crowd.room, others.room]) await presenceIs(pods, name, EVERYBODY);
  },
);

test('a master is frozen under load, and thawed when its replica has taken over', SLOW, async () => {
  const { cluster, pods } = await clusterAndPods();
  const crowd = await crowdOn(pods);
  const { slot, master } = await historyIn(cluster, crowd.room);
  await throughout(crowd, async () => {
    master.freeze();
    await eventually('another master', async () => (await cluster.masterOf(slot)) !== master);
    await ready(...pods);
    master.thaw();
    await cluster.isWell();
  });
  await expectHonesty(await historyIn(cluster, crowd.room), crowd);
});

test('a replica takes over and rejects writes: the log says why', SLOW, async () => {
  const config = ['cluster-require-full-coverage no', 'min-replicas-to-write 1', 'min-replicas-max-lag 2'];
  const cluster = await clusterOf({ config });
  const [pod] = await podsOn(cluster);
  await ready(pod);
  const [[master] = []] = [...(await roomOfEach(cluster))];
  await master?.kill();
  await eventually('a reason', () => pod.output().includes('NOREPLICAS'));
  expect(await readiness(pod)).toBe('200 degraded');
  await master?.start();
  await ready(pod);
});

test('a planned failover under load', SLOW, async () => {
  const { cluster, pods } = await clusterAndPods();
  const crowd = await crowdOn(pods);
  const { slot, master } = await historyIn(cluster, crowd.room);
  const replicas = await Promise.all(
    cluster.servers.map(async (server) => ({ server, info: await server.replication() })),
  );
  const replica = replicas.find(({ info }) => info.get('master_port') === String(master.port))?.server;
  await throughout(crowd, async () => {
    await replica?.command('CLUSTER', 'FAILOVER');
    await eventually('another master', async () => (await cluster.masterOf(slot)) === replica);
  });
  await expectHonesty(await historyIn(cluster, crowd.room), crowd);
});

test(
  'the master that stores the leases dies: presence stays as it was, and no leave is announced',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const crowd = await crowdOn(pods);
    const home = await cluster.masterOf(await cluster.slotOf('{pods}'));
    await home.kill();
    await eventually('a degraded pod', async () => (await readiness(pods[0])) === '200 degraded');
    await ready(...pods);
    await presenceIs(pods, crowd.room, EVERYBODY);
    expect(leavesSeenBy(crowd.quiet)).toEqual([]);
  },
);

test(
  'the master that stores the leases is emptied under load: rooms of other masters lose nothing, and get no history_lost',
  SLOW,
  async () => {
    const { cluster, pods } = await clusterAndPods();
    const home = await cluster.masterOf(await cluster.slotOf('{pods}'));
    const [, room] = [...(await roomOfEach(cluster))].find(([master]) => master !== home) ?? [];
    const crowd = await crowdOn(pods, room);
    await throughout(crowd, async () => {
      await home.command('FLUSHALL');
      // The name of the data changes. Each pod learns it some seconds later, which cannot be observed.
      await sleep(7_000);
    });
    await crowd.absent.return(pods[0]);
    expect(await crowd.absent.verdict()).toMatchObject({ recovered: true });
    await expectEverythingOnce([...crowd.everybody, crowd.absent], crowd.speakers);
    for (const one of crowd.everybody) expect(one.losses()).toEqual([]);
    await presenceIs(pods, crowd.room, EVERYBODY);
  },
);

test('a pod is killed: its users leave when its lease ends', SLOW, async () => {
  const { cluster, pods } = await clusterAndPods();
  const rooms = [...(await roomOfEach(cluster)).values()];
  for (const room of rooms) await crowdOn(pods, room);
  await pods[0].kill();
  for (const room of rooms) await presenceIs([pods[1]], room, ['carol', 'quiet', 'absent']);
});

test(
  'a pod starts through any server of the Cluster, while some of the named ones, or a master, are down',
  SLOW,
  async () => {
    const cluster = await clusterOf();
    const [master, room] = [...(await roomOfEach(cluster))][1] ?? [];
    await master?.kill();
    const last = cluster.servers.at(-1);
    const named = [master, last].map((server) => `127.0.0.1:${server?.port}`).join(',');
    const pod = await podOn({ env: { REDIS_CLUSTER: named } });
    await ready(pod);
    const witness = await Witness.join(pod, room ?? '', 'alice');
    witness.say();
    await expectEverythingOnce([witness], [witness]);
  },
);

test(
  'REDIS_CLUSTER names a server without a Cluster: the log says so, and the pod works alone',
  SLOW,
  async () => {
    const redis = await startRedis();
    try {
      const pod = await podOn({ env: { REDIS_CLUSTER: `127.0.0.1:${redis.port}` } });
      await eventually('a reason', () => pod.output().includes('cluster support disabled'));
      expect(await readiness(pod)).toBe('200 degraded');
    } finally {
      await redis.discard();
    }
  },
);
