import { redisUnavailable } from './errors.ts';
import type { Encoded } from './script-command.ts';
import type { Script } from './script.ts';
import type { Shard } from './shard.ts';
import type { Unavailable } from '../../shared/unavailable.ts';

/** Stands for slots that no server has at present: everything raises Unavailable. */
export class UnavailableShard implements Shard {
  readonly up = false;
  readonly connection = '';
  readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get run(): string {
    throw this.late();
  }

  get epoch(): string {
    throw this.late();
  }

  call(): Promise<never> {
    return Promise.reject(this.late());
  }

  invoke(
    _script: Script,
    _keys: readonly string[],
    _args: Encoded,
    settle: (outcome: unknown) => void,
  ): void {
    queueMicrotask(() => settle(this.late()));
  }

  beforeNext(task: () => void): void {
    queueMicrotask(task);
  }

  judge(error: Error): Error {
    return error;
  }

  command(): Promise<never> {
    return Promise.reject(this.late());
  }

  publish(): Promise<never> {
    return Promise.reject(this.late());
  }

  late(): Unavailable {
    return redisUnavailable('no server of the Cluster has this slot');
  }
}
