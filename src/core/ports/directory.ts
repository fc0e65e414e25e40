import type { Occupant } from './presence-store.ts';

/** A room, and how many connections are in it. */
export interface Occupied {
  readonly room: string;
  readonly connections: number;
}

/** How many connections a pod has, and since when it gets its share of new ones, by `Clock.elapsed` of this pod. */
export interface Load {
  readonly connections: number;
  readonly since: number;
}

/** What a directory reads of its own pod: the hub. */
export interface DirectorySource {
  /** Rooms with connections of this pod. */
  occupied(): Iterable<Occupied>;
  /** Connections of this pod in a room. */
  connectionsIn(room: string): number;
  connectionsOf(userId: string): readonly Occupant[];
  /** All connections of this pod, for a directory that lost its entries. */
  connections(): Iterable<Occupant>;
}

/**
 * Answers a question of this pod or of another one. Undefined, or a rejection: this pod cannot answer it, for example
 * because a later release asks.
 */
export type Answerer = (question: string) => Promise<string | undefined>;

/** What the pods answered to a question. */
export interface Answers {
  /** This pod's own answer comes first. */
  readonly answers: readonly string[];
  /**
   * Set if an answer is missing. `silent`: a living pod did not answer within two seconds. `unavailable`: the other pods
   * cannot be asked.
   */
  readonly missing?: 'silent' | 'unavailable' | undefined;
}

/**
 * What all pods together have: rooms, connections per user, loads. The pod calls `start` once, then any method, then
 * `stop` once. A directory that cannot be reached rejects with `unavailable` where a method says so, and otherwise
 * knows only its own pod.
 */
export interface Directory {
  /** `answer` is called for the questions of all pods, until `stop`. */
  start(source: DirectorySource, answer: Answerer): Promise<void>;
  /** The number of this pod's connections in the room has changed. It must return at once. */
  changed(room: string): void;
  /** Rooms whose names begin with `prefix` and sort after `after`, sorted. Raises `unavailable`. */
  rooms(prefix: string, after: string, limit: number): Promise<Occupied[]>;
  /**
   * Takes one of the user's `most` places for a connection; false if the user has `most` connections already. The pod
   * gives each place back by `release`.
   */
  admit(userId: string, connectionId: string, most: number): Promise<boolean>;
  /** Resolves once other pods may give the place away. If they cannot be told, the place ends with the pod's lease. */
  release(userId: string, connectionId: string): Promise<void>;
  /**
   * Reports this pod's load (undefined: it accepts no connections) and returns the loads of the other pods that accept
   * some, at most a few seconds old. Raises `unavailable`.
   */
  loads(own: Load | undefined): Promise<readonly Load[]>;
  /**
   * Asks every living pod, this one included, and resolves within two seconds. It resolves early with the first answer
   * that `isEnough`. Never rejects.
   */
  ask(question: string, isEnough?: (answer: string) => boolean): Promise<Answers>;
  stop(): Promise<void>;
}
