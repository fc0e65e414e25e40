import { DENYLIST_SCRIPTS, RedisDenylist } from './denylist.ts';
import { RedisGrants } from './grants.ts';
import { BROKER_SCRIPTS, RedisBroker } from './broker.ts';
import { DIRECTORY_SCRIPTS, RedisDirectory } from './directory.ts';
import { Backbone } from './connection/backbone.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Placement } from './connection/placement.ts';
import { PRESENCE_SCRIPTS } from './presence/scripts.ts';
import type { RedisAddress } from './connection/options.ts';
import { RedisPresence } from './presence.ts';

export interface RedisEngineOptions {
  readonly address: RedisAddress;
  /** Goes before the name of every key and channel. */
  readonly prefix: string;
  /** Unique to this process. */
  readonly pod: string;
  readonly leaseMs: number;
  /** A start waits this long for Redis; then the pod serves without it. */
  readonly startWaitMs: number;
  readonly limitsOf: (room: string) => HistoryLimits;
  /** Publications that may wait while Redis is unavailable. */
  readonly bufferMessages: number;
  /** Limit for waiting publications and remembered idempotency keys. */
  readonly memoryBytes: number;
  /** Presence expires this long after the last pod refreshed it. */
  readonly presenceTtlMs: number;
  /** Gives unique ids for messages that have no position. */
  readonly newName: () => string;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface RedisEngine {
  readonly broker: RedisBroker;
  readonly store: RedisPresence;
  readonly directory: RedisDirectory;
  readonly grants: RedisGrants;
  readonly denylist: RedisDenylist;
  /** For metrics of the connections. */
  readonly placement: Placement;
}

/** Composes the parts that pods share through Redis. Nothing connects before `broker.start`. */
export function redisEngine({ presenceTtlMs, random, ...options }: RedisEngineOptions): RedisEngine {
  const scripts = [...BROKER_SCRIPTS, ...PRESENCE_SCRIPTS, ...DIRECTORY_SCRIPTS, ...DENYLIST_SCRIPTS];
  const backbone = new Backbone({ ...options, scripts });
  // The order matters: when the pod registers again, presence is written before the directory.
  const broker = new RedisBroker({ ...options, backbone });
  const store = new RedisPresence({ backbone, ttlMs: presenceTtlMs, random });
  const grants = new RedisGrants(backbone);
  const denylist = new RedisDenylist(backbone);
  const directory = new RedisDirectory(backbone);
  return { broker, store, directory, grants, denylist, placement: backbone.placement };
}
