import type { Scenario, Scene } from '../scenario.ts';
import type { Client } from '../world.ts';

/** Redis is back for one pod sooner than for the other, through which somebody is present of whom Redis does not know. */
export const COMEBACKS: readonly Scenario[] = [
  {
    what: 'Who moved to another pod has never left when Redis goes back to before that',
    data: 'a snapshot',
    async move(scene: Scene, ann: Client): Promise<void> {
      scene.move(ann, 1);
      await scene.until('ann is back', () => ann.seat('r1').entries.at(-1)?.kind === 'joined');
    },
    // The grace ends while Redis is away.
    act: (scene: Scene): Promise<void> => scene.wait(2_000),
  },
  {
    what: 'Who moves to another pod while Redis is away, for longer than the grace, has never left',
    data: 'kept',
    async act(scene: Scene, ann: Client): Promise<void> {
      scene.move(ann, 1);
      await scene.wait(2_500);
    },
  },
  {
    what: 'Who moves to another pod while Redis is away, and whose grace ends right after, has never left',
    data: 'kept',
    async act(scene: Scene, ann: Client): Promise<void> {
      scene.move(ann, 1);
      await scene.wait(1_600);
    },
  },
  {
    what: 'Who leaves by one connection has not left when Redis has forgotten the other one',
    data: 'a snapshot',
    async move(scene: Scene): Promise<void> {
      await scene.enter('ann2', 'r1', 1, { user: 'ann' });
    },
    async after(scene: Scene, ann: Client): Promise<void> {
      ann.leave('r1');
      await scene.wait(100);
    },
  },
].flatMap((one) =>
  (['one', 'cluster'] as const).map((placement): Scenario => ({
    name: `${one.what} (${placement})`,
    placement,
    settings: { PRESENCE_GRACE_SECONDS: '2' },
    async play(scene) {
      const { redis } = scene.world;
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 0);
      await scene.enter('cid', 'r1', 1);
      // A leave counts as false only of somebody who was there for long.
      await scene.wait(17_000);
      const node = redis.nodeOf('r1');
      const snapshot = node.server.dump();
      scene.world.note('a snapshot is made');
      await one.move?.(scene, ann);
      redis.down(node);
      await scene.wait(200);
      await one.act?.(scene, ann);
      // The other pod is there a little later.
      const mend = scene.impair({ pod: 1, use: 'commands', way: 'to-server', how: 200 });
      redis.up(node, one.data === 'kept' ? one.data : snapshot);
      scene.world.note('Redis is back');
      const isBack = (): boolean => scene.world.slots[0]?.pod.parts?.pod.broker.available === true;
      await scene.until('pod-1 has Redis', isBack);
      await one.after?.(scene, ann);
      scene.world.after(3_000, mend);
      // Where the leave itself goes unheard, a list would tell of it.
      for (let times = 0; times < 220; times += 1) {
        await scene.wait(50);
        const { users } = bob.seat('r1').view;
        if (!users.includes('ann')) throw new Error(`bob sees ${users.join(' ')}`);
      }
    },
  })),
);
