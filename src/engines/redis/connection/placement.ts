import type { Trouble } from '../../../core/ports/broker.ts';
import type { Shard } from './shard.ts';

/** Whether a key, or a channel, is among those that something is about. */
export type IsAffected = (name: string) => boolean;

/**
 * Which server has what: one server has all, or each master of a Cluster some of it. Order of calls: `start` once, then
 * anything, then `stop` once.
 */
export interface Placement {
  /** Everything can be reached. */
  readonly up: boolean;
  /** Every channel that was asked for is subscribed. */
  readonly subscribed: boolean;
  /** How often a server went away, since the start. */
  readonly losses: number;
  /** How often a subscription was found dead and made anew. */
  readonly revivals: number;
  /** What is gone, and why; empty while all is well. */
  troubles(): readonly Trouble[];
  /** Names with the same number are always on one server: scripts can have them together. */
  slotOf(name: string): number;
  /** Whether commands for that part are taken. */
  isUp(part: number): boolean;
  /** The way to what has a key or a channel, for what is done at once: soon it may be elsewhere. */
  shardOf(name: string): Shard;
  /** Resolves once the server has confirmed it. Raises Unavailable; the channel stays asked for. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): void;
  /** Whether the server has confirmed the channel. */
  hears(channel: string): boolean;
  /** Calls `task` each time a server has come (back), or has got what another had: commands are taken there. */
  whenUp(task: (isAffected: IsAffected) => void): void;
  /** The same, once the channels there are subscribed too: what was published meanwhile may have been missed. */
  whenSubscribed(task: (isAffected: IsAffected) => void): void;
  /** Calls `task` each time a server has come (back): what it kept may be gone. */
  whenReconnected(task: () => void): void;
  /** Calls `task` some time after parts have moved: what could not be kept while they did can be now. */
  whenSlotsMoved(task: () => void): void;
  start(): void;
  stop(): void;
  /** Says that Redis is away, and why. */
  warn(): void;
}
