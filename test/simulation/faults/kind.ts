import type { Fault, PlacementName } from '../plan/plan.ts';
import type { Random } from '../../hostile/random.ts';
import type { World } from '../world.ts';

/** One way in which something can break. */
export interface FaultKind {
  readonly name: string;
  /** Where it makes sense; everywhere unless said otherwise. */
  readonly placements?: readonly PlacementName[];
  /** What it needs to know besides when. */
  readonly plan: (random: Random) => Fault['with'];
  /** Breaks it, and has it mended after `fault.ms` at the latest. */
  readonly play: (world: World, fault: Fault) => void;
}
