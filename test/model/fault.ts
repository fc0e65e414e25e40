import type { Part, PartState } from '../support/stack/part.ts';
import type { Random } from '../hostile/random.ts';
import type { Story } from './story.ts';
import type { World } from './world.ts';
import { setTimeout as pause } from 'node:timers/promises';

/** Its port may be another program's for a moment, on a machine where many are at work. */
const ATTEMPTS = 20;
const ATTEMPT_MS = 500;

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

/** Starts it again, after all, where it could not be at once. */
export async function startAgain(part: Part): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await part.start();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || stateOf(part) !== 'ended') throw error;
      await pause(ATTEMPT_MS);
    }
  }
}
