import { deferred } from './deferred.ts';
import type { Clock } from './platform.ts';

/** Settles as the promise does, but rejects after `ms`, or when `signal` aborts. It leaves no timer behind. */
export async function withTimeout<Value>(
  promise: Promise<Value>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<Value> {
  const timeout = deferred<never>();
  const giveUp = (): void => timeout.reject(new Error('no answer in time'));
  const timer = clock.setTimeout(giveUp, ms);
  signal.addEventListener('abort', giveUp);
  try {
    return await Promise.race([promise, timeout.promise]);
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}
