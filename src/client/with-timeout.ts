import { deferred } from './deferred.ts';
import type { Clock } from './platform.ts';

/**
 * As the promise, but rejects when it takes longer than `ms`, or when `signal` says that nobody waits any more. No
 * timer is left.
 */
export async function inTime<Value>(
  promise: Promise<Value>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Value> {
  const over = deferred<never>();
  const giveUp = (): void => over.reject(new Error('it takes too long'));
  const timer = clock.setTimeout(giveUp, ms);
  signal.addEventListener('abort', giveUp);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
