import type { Occupant } from './presence-store.ts';

/** A room and how many connections are in it. */
export interface Occupied {
  readonly room: string;
  readonly connections: number;
}

/** How many connections a pod has, and since when it gets its share of new ones, by `Clock.elapsed` of this pod. */
export interface Load {
  readonly connections: number;
  readonly since: number;
}

/** What a directory reads of its own pod: its Hub. */
export interface DirectorySource {
  /** Rooms with connections of this pod. */
  occupied(): Iterable<Occupied>;
  /** Connections of this pod in a room. */
  connectionsIn(room: string): number;
  connectionsOf(userId: string): readonly Occupant[];
  /** Everybody connected to this pod, for a directory that must be told anew. */
  connections(): Iterable<Occupant>;
}

/**
 * What all pods together hold. Order of calls: `start` once, then anything, then `stop` once. A directory that cannot
 * be reached raises `Refused` with `unavailable` where that is said, and else knows only its own pod.
 */
export interface Directory {
  start(source: DirectorySource): Promise<void>;
  /** The number of this pod's connections in the room has changed. Only takes note. */
  changed(room: string): void;
  /** Rooms whose names begin with `prefix` and come after `after`, by name. Raises `unavailable`. */
  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]>;
  /**
   * Takes a place for a connection of the user; false where the user has `most` already. Each place that was taken is
   * given back by `release`.
   */
  admit(userId: string, connectionId: string, most: number): Promise<boolean>;
  /** Resolves once every pod may give the place to another connection, or that cannot be said: the lease ends it then. */
  release(userId: string, connectionId: string): Promise<void>;
  /**
   * Says how many connections this pod has; undefined: it takes no more. Gives the same of every other pod that takes
   * some, seconds old at most. Raises `unavailable`.
   */
  loads(own: Load | undefined): Promise<readonly Load[]>;
  stop(): Promise<void>;
}
