import { Actor } from './actor.ts';
import { Random } from '../hostile/random.ts';
import type { Story } from './story.ts';
import type { World } from './world.ts';

export const ROOMS = ['red', 'green', 'blue'] as const;
/** Whoever joins at the end, to see what a newcomer is told. */
export const NEWCOMER = 'newcomer';
/** Of whom some have two connections. */
const USERS = ['ann', 'ann', 'bob', 'bob', 'cyd', 'dan', 'eve', 'fay'] as const;

/** The clients of one run, each with its own random choices. */
export function castOf(world: World, story: Story, seed: number): Actor[] {
  return USERS.map((user, index) => {
    const options = { user, rooms: ROOMS, pods: world.pods, story };
    return new Actor({ ...options, name: `${user}${index + 1}`, random: Random.of(seed, 1_000 + index) });
  });
}
