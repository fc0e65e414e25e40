import type { Clock } from '../ports/clock.ts';

/** Returns a function that runs `task`, at most once in `ms` milliseconds; other calls do nothing. */
export function atMostOncePer(ms: number, clock: Clock, task: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.elapsed();
    if (now - last < ms) return;
    last = now;
    task();
  };
}
