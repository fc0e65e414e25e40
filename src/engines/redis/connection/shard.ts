import type { Redis } from 'ioredis';
import type { Unavailable } from '../../shared/unavailable.ts';
import type { Script } from './script.ts';

/** The way to the server that has something. */
export interface Shard {
  /** Whether it answers and takes writes. */
  readonly up: boolean;
  /** Names this run of the server: after a restart or a failover it is another one. Raises Unavailable. */
  readonly run: string;
  /** What goes into the positions that are made there: the name of the data, where that is told to it, and the run. Raises Unavailable. */
  readonly epoch: string;
  /** Another one for every connection that this pod makes. */
  readonly connection: string;
  /** Milliseconds since 1970 by the server's clock, so that all pods agree. */
  now(): number;
  /** Runs a script. Raises Unavailable, or what Redis says of a script that is wrong. */
  call(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Any other command, and the keys that it names; raises as `call` does. */
  command<Reply>(send: (client: Redis) => Promise<Reply>, keys?: readonly string[]): Promise<Reply>;
  /** To all who have subscribed the channel; raises as `call` does. */
  publish(channel: string, text: string): Promise<void>;
  /**
   * For a caller whom the server told that what he asked came too late to be done: it was held up on the way, or the
   * clocks have drifted apart. All begins anew.
   */
  late(): Unavailable;
}
