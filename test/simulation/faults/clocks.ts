import type { FaultKind } from './kind.ts';

/** Somebody sets the clock of a pod; it stays so, or is set right again. */
export const podClockSet: FaultKind = {
  name: 'pod-clock-set',
  plan: (random) => ({
    pod: random.int(0, 2),
    by: random.pick([12_000, 30_000, 90_000, 400_000, -60_000]),
    back: random.chance(0.5),
  }),
  play(world, { ms, with: { pod, by, back } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined) return;
    const { strand, name } = slot.pod;
    world.note(`the clock of ${name} is set by ${Number(by) / 1_000} s`);
    strand.clockOffset += Number(by);
    if (back !== true) return;
    world.after(ms, () => {
      world.note(`the clock of ${name} is set right`);
      strand.clockOffset -= Number(by);
    });
  },
};

/** The clock of a pod goes wrong by some milliseconds a second. */
export const podClockDrifts: FaultKind = {
  name: 'pod-clock-drifts',
  plan: (random) => ({ pod: random.int(0, 2), drift: random.pick([-0.02, -0.001, 0.001, 0.02]) }),
  play(world, { ms, with: { pod, drift } }) {
    const slot = world.slots[Number(pod)];
    if (slot === undefined) return;
    const { strand, name } = slot.pod;
    world.note(`the clock of ${name} drifts by ${Number(drift) * 1_000} ms a second`);
    const before = world.kernel.now(strand);
    strand.clockDrift = Number(drift);
    strand.clockOffset += before - world.kernel.now(strand);
    world.after(ms, () => {
      const now = world.kernel.now(strand);
      strand.clockDrift = 0;
      strand.clockOffset += now - world.kernel.now(strand);
    });
  },
};

/** The clock of a server is set, forwards or a little back. */
export const redisClockSet: FaultKind = {
  name: 'redis-clock-set',
  plan: (random) => ({ server: random.int(0, 5), by: random.pick([3_000, 12_000, 40_000, -500, -5_000]) }),
  play(world, { with: { server, by } }) {
    const node = world.redis.nodes[Number(server) % world.redis.nodes.length];
    if (node === undefined) return;
    world.note(`the clock of ${node.endpoint.name} is set by ${Number(by) / 1_000} s`);
    node.endpoint.strand.clockOffset += Number(by);
    // Leases go by this clock: those that it makes lapse have lapsed.
    for (const { pod } of world.slots) world.disturb(pod.name, Math.abs(Number(by)));
  },
};
