import type { FaultKind } from './kind.ts';
import type { Node } from '../redis-world.ts';
import { ROOMS } from '../plan/plan.ts';
import type { World } from '../world.ts';

/** A master with a replica that is there. */
function withReplica(world: World, number: unknown): Node | undefined {
  const { redis } = world;
  const able = redis.masters.filter(
    (node) => node.endpoint.listening && !node.endpoint.strand.frozen && redis.replicaOf(node) !== undefined,
  );
  return able[Number(number) % Math.max(1, able.length)];
}

/** A replica that lags takes over; for a while the old master serves those who reach it, then it follows. */
export const failsOver: FaultKind = {
  name: 'fails-over',
  placements: ['sentinel', 'cluster'],
  plan: (random) => ({
    master: random.int(0, 2),
    lagMs: random.pick([0, 0, 200, 1_500]),
    how: random.pick(['asked', 'dies', 'freezes']),
    split: random.pick([0, 50, 800]),
  }),
  play(world, { ms, with: { master, lagMs, how, split } }) {
    const node = withReplica(world, master);
    if (node === undefined) return;
    node.lagging = true;
    const replica = world.redis.replicaOf(node);
    if (replica === undefined) return;
    replica.lagging = true;
    world.note(`${replica.endpoint.name} lags behind ${node.endpoint.name}`);
    world.after(Number(lagMs), () => {
      if (how === 'dies') {
        world.note(`${node.endpoint.name} ends`);
        world.redis.down(node);
      } else if (how === 'freezes') {
        world.note(`${node.endpoint.name} freezes`);
        world.kernel.freeze(node.endpoint.strand);
      }
      for (const { pod } of world.slots) world.disturb(pod.name, ms);
      const wait = how === 'asked' ? 0 : Math.min(1_500, ms / 2);
      world.after(wait, () => takeOver(world, node, replica, Math.min(Number(split), ms / 4)));
    });
  },
};

function takeOver(world: World, node: Node, replica: Node, splitMs: number): void {
  const { redis, kernel } = world;
  world.note(`${replica.endpoint.name} takes over from ${node.endpoint.name}`);
  replica.lagging = false;
  redis.failOver(node);
  world.after(splitMs + 20, () => {
    world.note(`${node.endpoint.name} follows ${replica.endpoint.name}`);
    if (!node.endpoint.listening) {
      node.server.restart('kept');
      node.endpoint.listening = true;
    }
    redis.demote(node, replica);
    node.server.closeConnections();
    if (node.endpoint.strand.frozen) kernel.thaw(node.endpoint.strand);
  });
}

/** The slot of a room goes to another master, some of its keys before the others. */
export const slotMoves: FaultKind = {
  name: 'slot-moves',
  placements: ['cluster'],
  plan: (random) => ({ room: random.pick(ROOMS), to: random.int(0, 2) }),
  play(world, { ms, with: { room, to } }) {
    const { redis } = world;
    const name = String(room);
    const from = redis.nodeOf(name);
    const target = redis.masters.filter((node) => node !== from)[Number(to) % 2];
    if (target === undefined || !target.endpoint.listening || !from.endpoint.listening || redis.moving)
      return;
    redis.moving = true;
    world.note(`the slot of ${name} goes from ${from.endpoint.name} to ${target.endpoint.name}`);
    redis.beginMove(name, target);
    redis.moveKeys(name, 1);
    world.after(Math.min(ms, 1_500), () => {
      redis.endMove(name);
      redis.moving = false;
      world.note(`the slot of ${name} is at ${redis.nodeOf(name).endpoint.name}`);
    });
  },
};
