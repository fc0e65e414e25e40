import type { Scenario } from '../scenario.ts';

/** One half of the way between a pod and Redis fails, or one pod alone loses both. */
export const HALVES: readonly Scenario[] = [
  {
    name: 'Who resumes later is given what others had provisionally while only the answers were late',
    placement: 'one',
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const dee = await scene.enter('dee', 'r1', 1);
      await scene.acked(scene.publish(bob, 'r1'));
      await scene.wait(200);
      const answers = scene.impair({ pod: 0, use: 'commands', way: 'to-pod', how: 'stalled' });
      const publications = scene.impair({ pod: 0, use: 'subscriber', way: 'to-pod', how: 2_600 });
      scene.away(dee);
      const late = scene.publish(ann, 'r1');
      await scene.until('ann has it provisionally', () => scene.had(ann, 'r1', late));
      await scene.enter('eve', 'r1', 0);
      await scene.wait(1_000);
      // It has come by the subscription now, while nothing can be asked.
      scene.move(dee, 0);
      await scene.wait(1_500);
      answers();
      publications();
      await scene.acked(late);
    },
  },
  {
    name: 'A message with a ref that goes on to another pod is shown once, by the library too',
    placement: 'one',
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 0);
      const lib = await scene.enter('lib', 'r1', 0, { kind: 'library' });
      await scene.enter('cid', 'r1', 1);
      const mend = scene.impair({ pod: 0, way: 'to-pod', how: 'stalled' });
      const message = scene.publish(ann, 'r1');
      await scene.until('its pod goes on by itself', () => scene.had(lib, 'r1', message), 8_000);
      for (const client of [ann, bob, lib]) scene.move(client, 1);
      await scene.acked(message);
      await scene.wait(2_000);
      mend();
      await scene.wait(3_000);
    },
  },
  {
    name: 'A pod that is cut off alone has what it was told before, and what it was told meanwhile, brought to all',
    placement: 'one',
    async play(scene) {
      const ann = await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      const mend = scene.impair({ pod: 0, how: 'stalled' });
      scene.publish(bob, 'r1');
      await scene.wait(2_500);
      scene.publish(ann, 'r1');
      scene.publish(ann, 'r1', false);
      scene.publish(bob, 'r1');
      scene.move(bob, 0);
      await scene.wait(4_000);
      mend();
      await scene.wait(4_000);
    },
  },
  {
    name: 'A pod that is born while it alone cannot reach Redis tells nobody that others left',
    placement: 'one',
    pods: 3,
    async play(scene) {
      const { world } = scene;
      await scene.enter('ann', 'r1', 0);
      const bob = await scene.enter('bob', 'r1', 1);
      await scene.enter('cid', 'r1', 2);
      const slot = world.slots[1];
      if (slot === undefined) throw new Error('there is no second pod');
      world.pins.set('bob', 2);
      world.killPod(slot);
      world.bearPod(slot);
      const mend = scene.impair({ pod: 1, how: 'stalled' });
      for (let count = 0; count < 10; count += 1) {
        if (bob.line?.isOpen === true) scene.publish(bob, 'r1');
        await scene.wait(600);
      }
      mend();
      await scene.wait(2_000);
    },
  },
];
