import type { Part, PartState } from '../../loadtest/stack/part.ts';
import type { Random } from '../hostile/random.ts';
import type { Story } from './story.ts';
import type { World } from './world.ts';

interface Scene {
  readonly world: World;
  readonly story: Story;
  readonly random: Random;
}

/** Breaks something, and has mended it when it resolves. */
export type Fault = (scene: Scene) => Promise<void>;

/** Faults by the names that MODEL_FAULTS takes. */
export type Named = readonly [name: string, fault: Fault];

/** Asked anew: another fault may have changed it meanwhile. */
export function stateOf(part: Part): PartState {
  return part.state;
}
