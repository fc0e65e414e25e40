import type { Clock } from '../ports/clock.ts';

/** Does a task when it is called, but not again before so many milliseconds have passed. */
export function atMostOncePer(ms: number, clock: Clock, task: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.elapsed();
    if (now - last < ms) return;
    last = now;
    task();
  };
}
