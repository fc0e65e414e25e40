import type { Log } from '../../../core/ports/log.ts';
import { scriptsIn } from './script.ts';
import type { Way } from './way.ts';

/** Types of keys, as the command TYPE names them. */
export type Kind = 'hash' | 'set' | 'string' | 'zset';

/** Keys, and of which type each is. */
export type Kinds = readonly (readonly [key: string, kind: Kind])[];

export const CLEAR = scriptsIn('connection')('clear');

/**
 * Does something with keys that are of certain types. Where a stranger has put another type under one of the names, every
 * command would fail for ever: it is cleared away, as if it had been evicted, and all is done once more. The keys are on
 * one server.
 */
export async function amongKinds<Result>(
  { way, log, kinds }: { way: Way; log: Log; kinds: Kinds },
  task: () => Promise<Result>,
): Promise<Result> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('Redis: WRONGTYPE')) throw error;
    const [keys, types] = [kinds.map(([key]) => key), kinds.map(([, kind]) => kind)];
    const cleared = await way.call(CLEAR, keys, types);
    log.warn({ cleared }, 'somebody else had put another type of key into Redis under these names');
    return task();
  }
}
