import type { FaultKind } from './kind.ts';

/** A pod's process ends, or its machine, and another takes its place. */
export const podDies: FaultKind = {
  name: 'pod-dies',
  plan: (random) => ({ pod: random.int(0, 2), silently: random.chance(0.3) }),
  play(world, { ms, with: { pod, silently } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined || slot.pod.strand.dead || slot.pod.ending) return;
    world.killPod(slot, silently === true);
    world.after(ms, () => world.bearPod(slot));
  },
};

/** A pod stands still for a while: its process is stopped, or its machine busy. */
export const podFreezes: FaultKind = {
  name: 'pod-freezes',
  plan: (random) => ({ pod: random.int(0, 2) }),
  play(world, { ms, with: { pod } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined || slot.pod.strand.dead) return;
    const { strand, name } = slot.pod;
    world.note(`${name} freezes`);
    world.disturb(name, ms);
    world.kernel.freeze(strand);
    world.after(ms, () => {
      world.note(`${name} goes on`);
      world.kernel.thaw(strand);
    });
  },
};

/** A deploy: a pod is drained, another is born when it has ended. */
export const podDrains: FaultKind = {
  name: 'pod-drains',
  plan: (random) => ({ pod: random.int(0, 2) }),
  play(world, { with: { pod } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined || slot.pod.strand.dead || slot.pod.ending || slot.pod.readiness === 'starting')
      return;
    world.drainPod(slot, () => world.bearPod(slot));
  },
};

/** A pod dies, and the one in its place cannot reach Redis at first. */
export const podBornAlone: FaultKind = {
  name: 'pod-born-alone',
  plan: (random) => ({ pod: random.int(0, 2) }),
  play(world, { ms, with: { pod } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined || slot.pod.strand.dead || slot.pod.ending) return;
    world.killPod(slot);
    world.after(100, () => {
      world.bearPod(slot);
      const { name } = slot.pod;
      world.note(`${name} cannot reach Redis`);
      world.disturb(name, ms);
      const mend = world.network.impair({ pod: name, how: 'stalled' });
      world.after(Math.max(0, ms - 100), () => {
        world.note(`${name} reaches Redis`);
        mend();
      });
    });
  },
};
