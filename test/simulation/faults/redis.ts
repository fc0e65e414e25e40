import type { FaultKind } from './kind.ts';
import type { Node } from '../redis-world.ts';
import type { Random } from '../../hostile/random.ts';
import type { Refusal, Rule } from '../redis/server.ts';
import { ROOMS } from '../plan/plan.ts';
import type { World } from '../world.ts';

/** A master that is as it should be; which one is a matter of a number. */
function masterOf(world: World, number: unknown): Node | undefined {
  const masters = world.redis.masters.filter(({ endpoint }) => endpoint.listening && !endpoint.strand.frozen);
  return masters[Number(number) % Math.max(1, masters.length)];
}

function disturbAll(world: World, ms: number): void {
  for (const { pod } of world.slots) world.disturb(pod.name, ms);
}

/** A server ends and comes back with all it had, with nothing, or with what it had some time before. */
export const redisRestarts: FaultKind = {
  name: 'redis-restarts',
  plan: (random) => ({
    master: random.int(0, 2),
    data: random.pick(['kept', 'lost', 'snapshot']),
    away: random.int(50, 4_000),
  }),
  play(world, { ms, with: { master, data, away } }) {
    const node = masterOf(world, master);
    if (node === undefined) return;
    const { redis } = world;
    const { name } = node.endpoint;
    const snapshot = node.server.dump();
    if (data === 'snapshot') world.note(`${name} saves a snapshot`);
    const awayMs = Math.min(ms, Number(away));
    world.after(ms - awayMs, () => {
      if (!node.endpoint.listening || node.endpoint.strand.frozen || node.server.role !== 'master') return;
      world.note(`${name} ends`);
      disturbAll(world, awayMs);
      redis.down(node);
      world.after(awayMs, () => {
        world.note(
          `${name} is back, its data ${data === 'snapshot' ? 'as it was in the snapshot' : String(data)}`,
        );
        redis.up(node, data === 'snapshot' ? snapshot : data === 'lost' ? 'lost' : 'kept');
      });
    });
  },
};

/** A server does nothing for a while, and then all that it was asked. */
export const redisFreezes: FaultKind = {
  name: 'redis-freezes',
  plan: (random) => ({ master: random.int(0, 2) }),
  play(world, { ms, with: { master } }) {
    const node = masterOf(world, master);
    if (node === undefined) return;
    const { name, strand } = node.endpoint;
    world.note(`${name} freezes`);
    disturbAll(world, ms);
    world.kernel.freeze(strand);
    world.after(ms, () => {
      world.note(`${name} goes on`);
      world.kernel.thaw(strand);
    });
  },
};

const REFUSALS: readonly Refusal[] = ['NOREPLICAS', 'READONLY', 'MISCONF', 'OOM', 'LOADING'];

/** A server is there and takes no writes. */
export const redisRefuses: FaultKind = {
  name: 'redis-refuses',
  plan: (random) => ({ master: random.int(0, 2), refusal: random.pick(REFUSALS) }),
  play(world, { ms, with: { master, refusal } }) {
    const node = masterOf(world, master);
    if (node === undefined || node.server.refuseWrites !== undefined) return;
    const { server, endpoint } = node;
    world.note(`${endpoint.name} answers ${String(refusal)}`);
    disturbAll(world, ms);
    server.refuseWrites = refusal as Refusal;
    world.after(ms, () => {
      world.note(`${endpoint.name} takes writes again`);
      server.refuseWrites = undefined;
    });
  },
};

function ruleOf(right: string): Rule {
  return right.includes('*') ? { channels: right } : { command: right };
}

/** The user of the pods loses a right while they are connected. */
export const rightIsLost: FaultKind = {
  name: 'right-is-lost',
  plan: (random) => ({
    master: random.int(0, 2),
    right: random.pick([
      'xadd',
      'publish',
      'spublish',
      'xrange',
      'hset',
      'evalsha',
      'zadd',
      'subscribe',
      '*room*',
    ]),
  }),
  play(world, { ms, with: { master, right } }) {
    const node = masterOf(world, master);
    if (node === undefined) return;
    const { server, endpoint } = node;
    world.note(`the pods may no longer ${String(right)} on ${endpoint.name}`);
    disturbAll(world, ms);
    server.deny(ruleOf(String(right)));
    world.after(ms, () => {
      world.note(`the pods may do everything on ${endpoint.name} again`);
      server.allowAll();
    });
  },
};

type KeyKind = 'presence' | 'tabs' | 'history' | 'state' | 'pods' | 'epoch' | 'rooms';

function keyOf(world: World, kind: KeyKind, room: string): string {
  const { keys } = world.redis;
  switch (kind) {
    case 'pods':
      return keys.pods;
    case 'epoch':
      return keys.epoch;
    case 'rooms':
      return keys.roomCounts;
    default:
      return keys[kind](room);
  }
}

/** A key is gone: evicted, or deleted by somebody. */
export const keyIsGone: FaultKind = {
  name: 'key-is-gone',
  plan: (random: Random) => ({
    room: random.pick(ROOMS),
    key: random.pick(['presence', 'tabs', 'history', 'state', 'pods', 'rooms']),
  }),
  play(world, { with: { room, key } }) {
    const name = keyOf(world, key as KeyKind, String(room));
    const node = world.redis.nodeOf(String(room));
    if (!node.endpoint.listening) return;
    world.note(`the key ${name} is gone`);
    if (key === 'history' || key === 'state') world.redis.evict(node, name);
    else node.server.evict(name);
  },
};

/** What a command of an operator breaks at once. */
export const redisIsCommanded: FaultKind = {
  name: 'redis-is-commanded',
  plan: (random) => ({
    master: random.int(0, 2),
    what: random.pick(['script flush', 'script flush', 'flushall', 'kill all', 'kill all']),
  }),
  play(world, { with: { master, what } }) {
    const node = masterOf(world, master);
    if (node === undefined) return;
    world.note(`an operator says ${String(what)} to ${node.endpoint.name}`);
    if (what === 'script flush') node.server.scriptFlush();
    else if (what === 'flushall') world.redis.flushAll(node);
    else node.server.closeConnections();
  },
};
