import type { Authenticator } from '../ports/authenticator.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/directory.ts';
import type { Hooks } from '../ports/hooks.ts';
import type { Framer } from '../ports/socket.ts';
import type { Hub } from './hub.ts';
import type { Limits } from '../base/limits.ts';
import type { Log } from '../ports/log.ts';
import type { Roster } from '../presence/roster.ts';
import type { Tally } from '../base/tally.ts';
import type { Tracer } from '../ports/tracer.ts';
import type { Turn } from '../delivery/turn.ts';

/** Unique names; passed in so that tests can foresee them. */
export interface Ids {
  connection(): string;
  /** For a message without a position; never looks like one. */
  ephemeral(): string;
}

/** One pod's parts, as its use cases see them. */
export interface Pod {
  readonly name: string;
  /** By `Clock.elapsed`. */
  readonly startedAt: number;
  readonly hub: Hub;
  readonly broker: Broker;
  readonly directory: Directory;
  readonly roster: Roster;
  /** Undefined while authentication is off. */
  readonly authenticator: Authenticator | undefined;
  /** Undefined while there are none. */
  readonly hooks?: Hooks | undefined;
  readonly framer: Framer;
  readonly turn: Turn;
  readonly clock: Clock;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly ids: Ids;
  readonly limits: Limits;
  readonly tally: Tally;
  /** Undefined: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly log: Log;
}
