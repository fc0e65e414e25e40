import type { FaultKind } from './kind.ts';
import type { Use, Way } from '../network/wire.ts';
import type { Random } from '../../hostile/random.ts';
import type { World } from '../world.ts';

const USES: readonly (Use | undefined)[] = ['commands', 'subscriber', undefined];
const WAYS: readonly (Way | undefined)[] = ['to-server', 'to-pod', undefined];

function somePod(random: Random): number {
  return random.chance(0.8) ? random.int(0, 2) : -1;
}

/** The pods that a fault concerns: one, or all. */
function podsOf(world: World, pod: unknown): (string | undefined)[] {
  return Number(pod) < 0 ? [undefined] : [world.slots[Number(pod)]?.pod.name];
}

type Told = string | number | boolean | undefined;

function told(pod: string | undefined, use: Told, way: Told): string {
  const what = use === undefined ? 'all connections' : `the ${use} connection`;
  return `${what} of ${pod ?? 'all pods'} ${way === undefined ? 'both ways' : way}`;
}

function disturb(world: World, pod: string | undefined, ms: number): void {
  for (const slot of world.slots)
    if (pod === undefined || slot.pod.name === pod) world.disturb(slot.pod.name, ms);
}

/** Nothing comes through one way, or both, of one connection of a pod, or of both; later all of it comes. */
export const linkStalls: FaultKind = {
  name: 'link-stalls',
  plan: (random) => ({ pod: somePod(random), use: random.pick(USES), way: random.pick(WAYS) }),
  play(world, { ms, with: { pod, use, way } }) {
    for (const name of podsOf(world, pod)) {
      world.note(`${told(name, use, way)} stall`);
      disturb(world, name, ms);
      const mend = world.network.impair({ pod: name, use: use as Use, way: way as Way, how: 'stalled' });
      world.after(ms, () => {
        world.note(`${told(name, use, way)} pass again`);
        mend();
      });
    }
  },
};

/** Everything one way comes late: answers while publications come in time, or the other way round. */
export const linkLate: FaultKind = {
  name: 'link-late',
  plan: (random) => ({
    pod: somePod(random),
    use: random.pick(USES),
    way: random.pick(WAYS),
    by: random.pick([300, 1_300, 1_900, 2_600]),
  }),
  play(world, { ms, with: { pod, use, way, by } }) {
    for (const name of podsOf(world, pod)) {
      world.note(`${told(name, use, way)} are ${String(by)} ms late`);
      disturb(world, name, ms + Number(by));
      const mend = world.network.impair({ pod: name, use: use as Use, way: way as Way, how: Number(by) });
      world.after(ms, () => {
        world.note(`${told(name, use, way)} are in time again`);
        mend();
      });
    }
  },
};

/** Connections break, and none is to be had for a while. */
export const linkCut: FaultKind = {
  name: 'link-cut',
  plan: (random) => ({ pod: somePod(random), use: random.pick(USES) }),
  play(world, { ms, with: { pod, use } }) {
    for (const name of podsOf(world, pod)) {
      world.note(`${told(name, use, undefined)} are cut`);
      disturb(world, name, ms);
      world.network.reset({ pod: name, use: use as Use });
      const mend = world.network.impair({ pod: name, use: use as Use, how: 'stalled' });
      world.after(ms, () => {
        world.note(`${told(name, use, undefined)} can be made again`);
        mend();
      });
    }
  },
};

/** Connections break and are made again at once. */
export const linkBreaks: FaultKind = {
  name: 'link-breaks',
  plan: (random) => ({ pod: somePod(random), use: random.pick(USES) }),
  play(world, { with: { pod, use } }) {
    for (const name of podsOf(world, pod)) {
      world.note(`${told(name, use, undefined)} break`);
      world.network.reset({ pod: name, use: use as Use });
    }
  },
};
