import { type Fault, type Named, startAgain, stateOf } from './fault.ts';
import { nodeDrained } from './faults-redis.ts';
import type { RedisCluster } from '../support/stack/redis-cluster.ts';
import type { RedisServer } from '../support/stack/redis-server.ts';
import { ROOMS } from './cast.ts';
import type { Random } from '../hostile/random.ts';
import { setTimeout as lasts } from 'node:timers/promises';

const masterKilled: Fault = async ({ world, story }) => {
  const old = await world.master();
  if (old.state !== 'running') return;
  const mended = story.fault(`${old.name}, the master, is killed`, 'data');
  const { cluster } = world;
  const slots = cluster && (await cluster.slotsOf(old));
  await old.kill();
  const master = cluster
    ? await anotherMaster(cluster, old, slots ?? [])
    : await world.group?.masterOtherThan(old);
  await startAgain(old);
  mended(`${master?.name} is the master; ${old.name} is started again`);
};

const failover: Fault = async ({ world, story }) => {
  const mended = story.fault('another master is asked for', 'data');
  const master = await world.group?.failover().catch((error: unknown) => String(error));
  mended(`the master is ${typeof master === 'string' ? master : master?.name}`);
};

/** A busy machine: the master stands still until nobody waits for its answers any more, gives them, and is replaced. */
const lateFailover: Fault = async (scene) => {
  const { world, story, random } = scene;
  const old = await world.master();
  if (old.state !== 'running') return;
  const mended = story.fault(`${old.name} stands still before it is replaced`, 'data');
  old.freeze();
  await lasts(random.int(1_900, 2_600));
  if (stateOf(old) === 'frozen') old.thaw();
  await lasts(random.int(0, 300));
  await failover(scene);
  mended('the master is another');
};

/** The master of those slots, once it is not the one that was. */
async function anotherMaster(
  cluster: RedisCluster,
  old: RedisServer,
  [slot = 0]: readonly number[],
): Promise<RedisServer> {
  for (;;) {
    const master = await cluster.masterOf(slot);
    if (master !== old) return master;
    await lasts(100);
  }
}

const clusterFailover: Fault = async ({ world, story }) => {
  const replica = await world.cluster?.anyReplica();
  if (replica === undefined) return;
  const mended = story.fault(`${replica.name} is to be a master`, 'data');
  await replica.command('CLUSTER', 'FAILOVER').catch(() => undefined);
  mended('it was asked');
};

/** The slots of the rooms go to whichever master, some of them slowly. */
const slotsMoved: Fault = async ({ world, story, random }) => {
  const { cluster } = world;
  if (cluster === undefined) return;
  for (const room of ROOMS) {
    const slot = await cluster.slotOf(`{${room}}`);
    const to = random.pick(await cluster.masters());
    if (to === (await cluster.masterOf(slot))) continue;
    const mended = story.fault(`the slot of ${room} goes to ${to.name}`, 'pods');
    // Another fault may have taken one of the two away.
    await move(cluster, slot, to, random).catch((error: unknown) =>
      story.note(`it did not: ${String(error)}`),
    );
    mended('it is there');
  }
};

async function move(cluster: RedisCluster, slot: number, to: RedisServer, random: Random): Promise<void> {
  const from = await cluster.beginMove(slot, to);
  await cluster.moveKeys(slot, from, to, 1).catch(() => 0);
  await lasts(random.int(0, 1_000));
  // What was begun is brought to an end, also where another fault cuts the operator's own connection.
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.endMove(slot, from, to);
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

export const SENTINEL_FAULTS: readonly Named[] = [
  ['master-killed', masterKilled],
  ['failover', failover],
  ['late-failover', lateFailover],
  ['node-drained', nodeDrained(failover)],
  ['node-drained-late', nodeDrained(lateFailover)],
];

export const CLUSTER_FAULTS: readonly Named[] = oneByOne([
  ['master-killed', masterKilled],
  ['failover', clusterFailover],
  ['slots-moved', slotsMoved],
  ['slots-moved-again', slotsMoved],
  ['node-drained', nodeDrained(clusterFailover)],
]);

/**
 * A slot whose one server dies while it is on its way to the other stays half here and half there until an operator
 * mends it (`redis-cli --cluster fix`): that is not played.
 */
function oneByOne(faults: readonly Named[]): Named[] {
  let last = Promise.resolve();
  return faults.map(([name, fault]) => [
    name,
    (scene) => {
      last = last.then(() => fault(scene));
      return last;
    },
  ]);
}
