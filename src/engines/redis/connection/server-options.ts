import type { Clock } from '../../../core/ports/clock.ts';
import type { Envelope } from '../../shared/envelope.ts';
import type { Keys } from './keys.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { LookupFunction } from 'node:net';
import type { Redis } from 'ioredis';
import type { RedisAddress } from './options.ts';
import type { Script } from './script.ts';

/** What differs between a server that has everything and a master of a Cluster. */
export interface ServerRole {
  /** The server has only some slots: scripts run in their form for a Cluster, and channels are sharded. */
  readonly sharded: boolean;
  /**
   * Raises an error unless this run of the server can be used. `now` is by the server's clock; `before` is the run that
   * this pod knew there before, or empty.
   */
  prove(client: Redis, run: string, now: number, before: string): Promise<void>;
  /** The name of the data, which precedes the run in positions; empty where scripts read it themselves. */
  data(): string;
  /** A hash tag whose slot the server has; empty where it has everything. */
  tag(): string;
  /** The server answered that it does not, or soon will not, have the slot; `keys` are those of the script. */
  moved(reason: string, keys: readonly string[]): void;
  /** The server does not have these channels any more; the subscriber has dropped them. */
  channelsMoved(channels: readonly string[]): void;
}

/** What the connections to all servers have in common. */
export interface ServerCommons {
  readonly address: RedisAddress;
  /** Unique to this process. */
  readonly pod: string;
  readonly keys: Keys;
  /** Every script that will be called. */
  readonly scripts: readonly Script[];
  /** Numbers the connections of this pod, to whichever server. */
  readonly nextConnection: () => number;
  /** Looks up host names; one for the whole pod, so that all connections share the last known addresses. */
  readonly lookup: LookupFunction;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes what was published on a channel. */
  readonly receive: (channel: string, envelope: Envelope) => void;
}

export interface ServerOptions extends ServerCommons {
  readonly role: ServerRole;
}
