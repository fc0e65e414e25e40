import type { Log } from '../../../core/ports/log.ts';
import { scriptsIn } from './script.ts';
import type { Shard } from './shard.ts';

/** Types of keys, as the command TYPE names them. */
export type KeyType = 'hash' | 'set' | 'string' | 'zset';

/** Keys, and of which type each is. */
export type TypedKeys = readonly (readonly [key: string, kind: KeyType])[];

export const CLEAR = scriptsIn('connection')('clear');

/**
 * Does something with keys that are of certain types. Where a stranger has put another type under one of the names, every
 * command would fail for ever: it is cleared away, as if it had been evicted, and all is done once more. The keys are on
 * one server.
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
    log.warn({ cleared }, 'somebody else had put another type of key into Redis under these names');
    return task();
  }
}
