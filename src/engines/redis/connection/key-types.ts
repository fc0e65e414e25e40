import type { Log } from '../../../core/ports/log.ts';
import { scriptsIn } from './script.ts';
import type { Shard } from './shard.ts';

/** Types of keys, as the command TYPE names them. */
export type KeyType = 'hash' | 'set' | 'string' | 'zset';

/** Keys and their types. */
export type TypedKeys = readonly (readonly [key: string, kind: KeyType])[];

export const CLEAR = scriptsIn('connection')('clear');

/**
 * Runs a task that needs keys of these types, all on one server. If another program has stored another type under one
 * of the names, every command would fail forever: that key is deleted, as if it had been evicted, and the task runs
 * again.
 */
export async function withKeyTypes<Result>(
  { shard, log, typed }: { shard: Shard; log: Log; typed: TypedKeys },
  task: () => Promise<Result>,
): Promise<Result> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Redis: WRONGTYPE')) throw error;
    const [keys, types] = [typed.map(([key]) => key), typed.map(([, kind]) => kind)];
    const cleared = await shard.call(CLEAR, keys, types);
    log.warn(
      { cleared },
      'these keys of Redis had another type, which another program must have written; this pod has deleted them',
    );
    return task();
  }
}
