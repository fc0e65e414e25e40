import type { Redis } from 'ioredis';
import type { Encoded } from './script-command.ts';
import type { Script } from './script.ts';
import type { Unavailable } from '../../shared/unavailable.ts';

/** Commands to the server that has some of the data. */
export interface Shard {
  /** Whether it answers and takes writes. */
  readonly up: boolean;
  /** Names this run of the server; a restart or a failover changes it. Raises Unavailable. */
  readonly run: string;
  /**
   * Goes into positions that are made there: the name of the data, if the pod has to supply it, and the run. Raises
   * Unavailable.
   */
  readonly epoch: string;
  /** Changes with every connection that this pod makes. */
  readonly connection: string;
  /** Milliseconds since 1970 by the server's clock, so that all pods agree. */
  now(): number;
  /** Runs a script. Raises Unavailable, or what Redis answers if the script is wrong. */
  call(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /**
   * As `call`, with a callback: no promise is made but that of ioredis. `args` are the keys and the arguments; `settle`
   * gets the reply, or the error that `call` would raise, never before `invoke` returns.
   */
  invoke(script: Script, keys: readonly string[], args: Encoded, settle: (outcome: unknown) => void): void;
  /**
   * Calls `task`, which invokes a script, before the next command is sent, or else at the end of this turn of the event
   * loop: it can wait for more to send, and nothing overtakes it.
   */
  beforeNext(task: () => void): void;
  /** What `invoke` would give for an error that is part of a reply. */
  judge(error: Error, keys: readonly string[]): Error;
  /** Any other command, and the keys that it uses; raises as `call` does. */
  command<Reply>(send: (client: Redis) => Promise<Reply>, keys?: readonly string[]): Promise<Reply>;
  /** To all subscribers of the channel; raises as `call` does. */
  publish(channel: string, text: string): Promise<void>;
  /**
   * For a caller whose command the server rejected as too late: it was held up on the way, or the clocks have drifted
   * apart. Reconnects, and gives the error to raise.
   */
  late(): Unavailable;
}
