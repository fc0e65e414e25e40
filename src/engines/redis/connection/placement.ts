import type { Shard } from './shard.ts';
import type { Trouble } from '../../../core/ports/broker.ts';

/** Whether an event affects a key or a channel. */
export type IsAffected = (name: string) => boolean;

/** The channels that this pod subscribes. */
export interface Channels {
  /** Resolves once the server has confirmed it. Raises Unavailable; the pod still subscribes it as soon as it can. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /** Whether the server has confirmed it. */
  isSubscribed(channel: string): boolean;
}

/**
 * Which server has what: one server has everything, or each master of a Cluster has some slots. Order of calls: `start`
 * once, then anything, then `stop` once.
 */
export interface Placement {
  /** Whether everything can be reached. */
  readonly up: boolean;
  /** Whether every channel that was asked for is subscribed. */
  readonly subscribed: boolean;
  /** How often a server was lost, since the start. */
  readonly losses: number;
  /** How often a subscription was found dead and reconnected. */
  readonly revivals: number;
  readonly channels: Channels;
  /** What is lost, and why; empty while all is well. */
  troubles(): readonly Trouble[];
  /** Names with the same number are always on one server, so that one script can use them together. */
  slotOf(name: string): number;
  /** The server that has a key or channel now. Do not keep the answer: a slot may move. */
  shardOf(name: string): Shard;
  /** The server that has what belongs to a room. */
  shardOfRoom(room: string): Shard;
  /** The server that has what belongs to no room: the leases, the directory. */
  readonly shared: Shard;
  /** Calls `task` each time a server takes commands: it has come (back), or has got slots of another. */
  whenUp(task: (isAffected: IsAffected) => void): void;
  /** The same once the channels there are subscribed too. Publications may have been missed until then. */
  whenSubscribed(task: (isAffected: IsAffected) => void): void;
  /** Calls `task` each time a server has come (back). It may have lost its data. */
  whenReconnected(task: () => void): void;
  /** Calls `task` some time after slots have moved: writes that failed meanwhile can be repeated. */
  whenSlotsMoved(task: () => void): void;
  start(): void;
  stop(): void;
  /** Logs what is unavailable, and why. */
  warn(): void;
}
