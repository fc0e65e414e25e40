import type { Scenario, Scene } from '../scenario.ts';
import type { Client } from '../world.ts';

async function publishMany(scene: Scene, client: Client, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    await scene.acked(scene.publish(client, 'r1'));
    await scene.wait(30);
  }
}

function master(scene: Scene): Scene['world']['redis']['nodes'][number] {
  return scene.world.redis.nodeOf('r1');
}

/** The slot of r1 is on its way to another master, with one of its keys there already. */
function beginMove(scene: Scene): void {
  const { redis } = scene.world;
  const target = redis.masters.find((node) => node !== master(scene));
  if (target === undefined) throw new Error('there is one master only');
  redis.beginMove('r1', target);
  redis.moveKeys('r1', 1);
}

/** Redis evicts the room's messages, and what it knew of it. */
function forgetRoom(scene: Scene, room: string): void {
  const { keys } = scene.world.redis;
  scene.world.note(`all that is known of ${room} is gone`);
  for (const key of [keys.history(room), keys.state(room)]) scene.world.redis.evict(master(scene), key);
}

/** What a client's last join of the room said. */
function expectTold(client: Client, reason: string | undefined): void {
  const told = client.seat('r1').entries.findLast((entry) => entry.kind === 'joined');
  if (told?.recovered === (reason === undefined) && told.reason === reason) return;
  throw new Error(`${client.name} was told ${JSON.stringify(told)}`);
}

/** The data of Redis goes back, loses something, or is refused. */
export const DATA: readonly Scenario[] = [
  {
    name: 'Reading on after a failover that dropped the newest messages ends, for who stays and for who resumes',
    placement: 'sentinel',
    settings: { OUTBOX_MESSAGES: '8' },
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      await publishMany(scene, ann, 30);
      const node = master(scene);
      const replica = world.redis.replicaOf(node);
      if (replica === undefined) throw new Error('there is no replica');
      replica.lagging = true;
      await publishMany(scene, ann, 5);
      bob.drop(0, true);
      world.redis.down(node);
      await scene.wait(500);
      replica.lagging = false;
      world.redis.failOver(node);
      await scene.wait(500);
      node.server.restart('kept');
      world.redis.demote(node, replica);
      node.endpoint.listening = true;
      await scene.wait(5_000);
      await publishMany(scene, ann, 3);
    },
  },
  {
    name: 'Who was away is told of what was lost when a server is master once more',
    placement: 'sentinel',
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 0);
      await publishMany(scene, ann, 3);
      const first = master(scene);
      const second = world.redis.replicaOf(first);
      if (second === undefined) throw new Error('there is no replica');
      world.redis.failOver(first);
      world.redis.demote(first, second);
      await scene.wait(1_000);
      first.lagging = true;
      bob.drop(0, true);
      await publishMany(scene, ann, 3);
      world.redis.failOver(second);
      world.redis.demote(second, first);
      await scene.until('bob is back', () => bob.seat('r1').state === 'in');
      await scene.wait(1_000);
    },
  },
  {
    name: 'Who was away while Redis went back to a snapshot is told so',
    placement: 'one',
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      await publishMany(scene, ann, 3);
      const node = master(scene);
      const snapshot = node.server.dump();
      world.redis.down(node);
      await scene.wait(200);
      world.redis.up(node, snapshot);
      await scene.wait(2_000);
      scene.raw(bob).leave('r1');
      await scene.wait(100);
      await publishMany(scene, ann, 5);
      world.redis.down(node);
      await scene.wait(300);
      world.redis.up(node, snapshot);
      await scene.wait(3_000);
      bob.join('r1', 0, false);
      await scene.until('bob is back', () => bob.seat('r1').state === 'in');
      await scene.wait(1_000);
    },
  },
  {
    name: 'Who reads nothing while Redis is emptied is told of it when he reads on',
    placement: 'one',
    settings: { OUTBOX_MESSAGES: '8' },
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1, { buffer: 512 });
      await scene.enter('cid', 'r1', 1);
      bob.read(false);
      await publishMany(scene, ann, 20);
      scene.world.redis.flushAll(master(scene));
      scene.world.note('Redis is emptied');
      await scene.wait(100);
      bob.read(true);
      await scene.wait(3_000);
    },
  },
  {
    name: 'A pod that ends while Redis is away for longer ends all the same, and who has no ack says it again to another',
    placement: 'one',
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const node = master(scene);
      world.redis.down(node);
      await scene.wait(500);
      const kept = scene.publish(ann, 'r1');
      scene.publish(ann, 'r1', false);
      const slot = world.slots[0];
      if (slot === undefined) throw new Error('there is no pod');
      scene.move(ann, 1);
      world.drainPod(slot, () => world.bearPod(slot));
      await scene.until('the pod has ended', () => slot.generation === 2);
      world.redis.up(node, 'kept');
      await scene.acked(kept);
      await scene.until('bob had it', () => scene.had(bob, 'r1', kept));
      await scene.wait(2_000);
    },
  },
  {
    name: 'A message that was trimmed before Redis lost its data is published anew where its publisher had no ack',
    placement: 'one',
    pods: 3,
    settings: { HISTORY_SIZE: '10' },
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const first = scene.publish(ann, 'r1');
      scene.away(ann);
      await scene.until('bob had it', () => scene.had(bob, 'r1', first));
      await publishMany(scene, bob, 11);
      const node = master(scene);
      world.redis.down(node);
      await scene.wait(200);
      world.redis.up(node, 'lost');
      await scene.wait(3_000);
      // Nobody there has heard of it.
      scene.move(ann, 2);
      await scene.acked(first);
      await scene.wait(2_000);
    },
  },
  {
    name: 'What a server of a Cluster lost is told also while the one is away that knows which servers there were',
    placement: 'cluster',
    pods: 3,
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const cid = await scene.enter('cid', 'r1', 2);
      await publishMany(scene, ann, 3);
      scene.away(cid);
      const node = master(scene);
      const knows = world.redis.nodeOfKey(world.redis.keys.epoch);
      if (knows === node) throw new Error('it is the same server');
      const snapshot = node.server.dump();
      world.redis.down(node);
      await scene.wait(200);
      world.redis.up(node, 'kept');
      await scene.wait(2_000);
      await publishMany(scene, ann, 2);
      scene.away(bob);
      for (const one of [knows, node]) world.redis.down(one);
      await scene.wait(200);
      world.redis.up(node, snapshot);
      await scene.wait(3_000);
      scene.move(bob, 2);
      scene.move(cid, 0);
      await scene.until('bob is back', () => bob.seat('r1').state === 'in');
      await scene.until('cid is back', () => cid.seat('r1').state === 'in');
      world.redis.up(knows, 'kept');
      await scene.wait(3_000);
    },
  },
  ...(['one', 'cluster'] as const).flatMap((placement) =>
    [
      { who: 'the pod that took it', pod: 1, more: 0 },
      { who: 'another pod', pod: 0, more: 0 },
      { who: 'another pod, where others have published since', pod: 0, more: 2 },
    ].map(({ who, pod, more }): Scenario => ({
      name: `Who was in a room before a message came that is evicted with all that Redis knew of the room is told so by ${who} (${placement})`,
      placement,
      async play(scene) {
        const { redis } = scene.world;
        const ann = await scene.enter('ann', 'r1', pod);
        const bob = await scene.enter('bob', 'r2', 1);
        ann.leave('r1');
        await scene.until('ann has left', () => ann.seat('r1').state === 'out');
        await scene.acked(scene.publish(bob, 'r1'));
        forgetRoom(scene, 'r1');
        for (let count = 0; count < more; count += 1) await scene.acked(scene.publish(bob, 'r1'));
        ann.join('r1', 0, false);
        await scene.until('ann is back', () => ann.seat('r1').state === 'in');
        expectTold(ann, 'history_lost');
        // Once is enough.
        ann.leave('r1');
        await scene.until('ann has left', () => ann.seat('r1').state === 'out');
        ann.join('r1', 0, false);
        await scene.until('ann is back', () => ann.seat('r1').state === 'in');
        expectTold(ann, undefined);
        if (redis.kept('r1').length !== more) throw new Error('Redis has lost nothing');
      },
    })),
  ),
  {
    name: 'A presence key that is gone is whole again, and nobody is announced for it',
    placement: 'one',
    pods: 3,
    async play(scene) {
      const { redis } = scene.world;
      for (const [index, name] of ['ann', 'bob', 'cid'].entries()) await scene.enter(name, 'r1', index);
      await scene.wait(1_000);
      scene.world.note('the presence of r1 is gone');
      master(scene).server.evict(redis.keys.presence('r1'));
      // A third of PRESENCE_TTL_SECONDS, and two seconds.
      await scene.wait(5_000);
      for (const pod of [0, 1, 2]) {
        const present = await scene.present(pod, 'r1');
        if (present !== 'ann bob cid') throw new Error(`pod ${pod} lists ${present}`);
      }
    },
  },
  {
    name: 'Who comes while presence keys are gone, to a pod that had nobody there, is told of all in the end',
    placement: 'one',
    pods: 3,
    async play(scene) {
      const { world } = scene;
      for (const [index, name] of ['ann', 'bob'].entries()) await scene.enter(name, 'r1', index);
      await scene.wait(1_000);
      const { keys } = world.redis;
      world.note('the presence of r1 is gone, and through whom');
      for (const key of [keys.presence('r1'), keys.tabs('r1')]) master(scene).server.evict(key);
      const cid = await scene.enter('cid', 'r1', 2);
      const sees = (): string => cid.seat('r1').view.users.join(' ');
      if (sees() !== 'cid') throw new Error(`cid sees ${sees()}, so that nothing was gone`);
      await scene.until('cid sees all', () => sees() === 'ann bob cid');
    },
  },
  ...[
    {
      what: 'leaves',
      isAfterMend: true,
      act(_: Scene, ann: Client): Promise<void> {
        ann.leave('r1');
        return Promise.resolve();
      },
    },
    {
      what: 'is lost for long',
      isAfterMend: true,
      async act(scene: Scene, ann: Client): Promise<void> {
        scene.away(ann);
        await scene.wait(5_000);
        scene.move(ann, 0);
      },
    },
    {
      what: 'is on a pod that dies',
      isAfterMend: true,
      async act(scene: Scene, ann: Client): Promise<void> {
        const { world } = scene;
        world.pins.set(ann.name, -1);
        world.pins.set('bob', 2);
        const [slot] = world.slots;
        if (slot === undefined) throw new Error('there is no pod');
        world.killPod(slot);
        await scene.wait(5_000);
        world.bearPod(slot);
        scene.move(ann, 0);
      },
    },
    {
      what: 'comes by a third connection, which leaves,',
      isAfterMend: false,
      async act(scene: Scene): Promise<void> {
        const third = await scene.enter('ann3', 'r1', 2, { user: 'ann' });
        third.leave('r1');
      },
    },
  ].map((one): Scenario => ({
    name: `Who ${one.what} is there by the connection that another pod is yet to write anew`,
    placement: 'one',
    pods: 3,
    async play(scene) {
      const { redis } = scene.world;
      const ann = await scene.enter('ann', 'r1', 0);
      await scene.enter('ann2', 'r1', 1, { user: 'ann' });
      await scene.enter('bob', 'r1', 0);
      // A leave counts as false only of somebody who was there for long.
      await scene.wait(19_000);
      const tabs = redis.keys.tabs('r1');
      scene.world.note('through whom anybody is in r1 is gone');
      master(scene).server.evict(tabs);
      const mend = scene.impair({ pod: 1, use: 'commands', way: 'to-server', how: 1_100 });
      const isKnown = (): boolean => master(scene).server.command('EXISTS', tabs) === 1;
      if (one.isAfterMend) await scene.until('pod-1 has written its own anew', isKnown);
      await one.act(scene, ann);
      await scene.wait(5_000);
      mend();
      await scene.wait(5_000);
    },
  })),
  ...[
    { pod: 0, ms: 100 },
    { pod: 1, ms: 100 },
    { pod: 0, ms: 3_000 },
    { pod: 1, ms: 3_000 },
  ].map(({ pod, ms }): Scenario => ({
    name: `Who comes back to pod-${pod + 1} while the room goes to another server of a Cluster, for ${ms} ms more, has never left`,
    placement: 'cluster',
    settings: { PRESENCE_GRACE_SECONDS: '2' },
    async play(scene) {
      const { redis } = scene.world;
      const ann = await scene.enter('ann', 'r1', 0);
      // With somebody there both pods hear at once that the room is elsewhere.
      await scene.enter('bob', 'r1', 0);
      await scene.enter('cid', 'r1', 1);
      // A leave counts as false only of somebody who was there for long.
      await scene.wait(17_000);
      scene.move(ann, pod);
      beginMove(scene);
      await scene.until('ann is back', () => ann.seat('r1').state === 'in');
      // The grace ends before that or after it.
      await scene.wait(ms);
      redis.endMove('r1');
      scene.world.note('the slot has arrived');
      await scene.wait(4_000);
    },
  })),
  ...[1_000, 8_000].map((ms): Scenario => ({
    name: `Who is there while its pod takes another lease has never left a room that goes to another server for ${ms} ms`,
    placement: 'cluster',
    async play(scene) {
      const { network, redis } = scene.world;
      await scene.enter('ann', 'r1', 0);
      await scene.enter('bob', 'r1', 1);
      // A leave counts as false only of somebody who was there for long.
      await scene.wait(17_000);
      beginMove(scene);
      scene.world.note('the connections of pod-1 break');
      network.reset({ pod: scene.world.slots[0]?.pod.name, use: 'commands' });
      await scene.wait(ms);
      redis.endMove('r1');
      scene.world.note('the slot has arrived');
      // The lease under which ann was written before has ended.
      await scene.wait(12_000);
    },
  })),
  ...['xadd', 'publish', 'evalsha'].map((right): Scenario => ({
    name: `The right to ${right} is lost and given back, and nothing acked is unheard`,
    placement: 'one',
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      await scene.enter('bob', 'r1', 1);
      scene.world.note(`the pods may no longer ${right}`);
      master(scene).server.deny({ command: right });
      for (let count = 0; count < 5; count += 1) {
        scene.publish(ann, 'r1');
        scene.publish(ann, 'r1', false);
        await scene.wait(700);
      }
      master(scene).server.allowAll();
      scene.world.note('the pods may do everything again');
      await scene.wait(3_000);
    },
  })),
  {
    name: 'Who comes and who leaves while one pod may not publish is told to those on another pod as well',
    placement: 'one',
    async play(scene) {
      await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const cid = await scene.enter('cid', 'r1', 1);
      await scene.wait(1_000);
      scene.world.note('the pods may no longer publish');
      master(scene).server.deny({ command: 'publish' });
      scene.raw(cid).leave('r1');
      // Too short for the other pod to notice.
      await scene.wait(100);
      master(scene).server.allowAll();
      scene.world.note('the pods may do everything again');
      await scene.wait(3_000);
      scene.world.note('the pods may no longer publish');
      master(scene).server.deny({ command: 'publish' });
      await scene.enter('dee', 'r1', 1);
      scene.raw(bob).state('r1', 'away', {});
      await scene.wait(100);
      master(scene).server.allowAll();
      scene.world.note('the pods may do everything again');
      await scene.wait(3_000);
    },
  },
  {
    name: 'Who is the last to leave while Redis takes no writes is gone for who listens, before the room is forgotten',
    placement: 'one',
    settings: { POD_LEASE_SECONDS: '5', PRESENCE_TTL_SECONDS: '6' },
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      await scene.wait(3_000);
      const { server } = master(scene);
      server.refuseWrites = 'MISCONF';
      scene.world.note('Redis takes no writes');
      await scene.wait(500);
      scene.raw(bob).state('r1', 'offline', {});
      scene.raw(ann).leave('r1');
      await scene.wait(2_000);
      server.refuseWrites = undefined;
      scene.world.note('Redis takes writes again');
      await scene.wait(12_000);
    },
  },
  {
    name: 'Who joins while the history cannot be read is given what comes, also where the clock of Redis is set meanwhile',
    placement: 'one',
    async play(scene) {
      const { world } = scene;
      const bob = await scene.enter('bob', 'r1', 1);
      const node = master(scene);
      node.server.deny({ command: 'xrange' });
      world.note('the pods may no longer xrange');
      await scene.enter('ann', 'r1', 0);
      await publishMany(scene, bob, 2);
      world.note('the clock of Redis is set by 12 s');
      node.endpoint.strand.clockOffset += 12_000;
      // Leases go by this clock.
      for (const { pod } of world.slots) world.disturb(pod.name, 12_000);
      node.server.allowAll();
      world.note('the pods may do everything again');
      await scene.wait(3_000);
    },
  },
  ...[12_000, 400_000, -60_000].map((ms): Scenario => ({
    name: `A pod's clock that is set by ${ms / 1_000} s makes nobody leave and no message go`,
    placement: 'one',
    pods: 3,
    async play(scene) {
      const { world } = scene;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      await scene.enter('cid', 'r1', 2);
      // A leave counts as false only of somebody who was there for long.
      await scene.wait(16_000);
      await publishMany(scene, ann, 3);
      const strand = world.slots[1]?.pod.strand;
      if (strand === undefined) throw new Error('there is no second pod');
      world.note(`the clock of pod-2 is set by ${ms / 1_000} s`);
      strand.clockOffset += ms;
      await scene.wait(2_000);
      await publishMany(scene, bob, 3);
      scene.move(bob, 0);
      await scene.wait(2_000);
      scene.move(bob, 1);
      await scene.wait(15_000);
    },
  })),
];
