import type { Broker } from '../ports/broker.ts';
import type { CatchUp } from './catch-up.ts';
import type { Clock } from '../ports/clock.ts';
import type { Denylist } from '../ports/denylist.ts';
import type { Directory } from '../ports/directory.ts';
import type { Framer } from '../ports/socket.ts';
import type { Grants } from '../ports/grants.ts';
import type { Hub } from './hub.ts';
import type { Limits } from '../base/limits.ts';
import type { Log } from '../ports/log.ts';
import type { RoomRules } from '../ports/room-rules.ts';
import type { Tally } from '../base/tally.ts';
import type { Timestamps } from '../base/timestamps.ts';
import type { Turn } from '../delivery/turn.ts';

/** The parts of a pod that what concerns the whole pod (drain, rebalancing, catching up) works with. */
export interface PodParts {
  readonly hub: Hub;
  readonly catchUp: CatchUp;
  readonly broker: Broker;
  readonly directory: Directory;
  readonly grants: Grants;
  readonly denylist: Denylist;
  readonly framer: Framer;
  readonly turn: Turn;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly limits: Limits;
  readonly rules: RoomRules;
  readonly tally: Tally;
  readonly timestamps: Timestamps;
  readonly log: Log;
}
