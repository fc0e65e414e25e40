import type { Clock } from '../ports/clock.ts';

/**
 * Runs `task` repeatedly: first after `ms` milliseconds, then each time `ms` after the last run ended. The task must
 * neither throw nor reject, or it would not run again. The returned function stops it; a run in progress goes on.
 */
export function every(clock: Clock, ms: number, task: () => void | Promise<void>): () => void {
  let isStopped = false;
  let cancel: () => void = () => undefined;
  const schedule = (): void => {
    if (!isStopped) cancel = clock.after(ms, run);
  };
  const run = (): void => {
    const work = task();
    if (work === undefined) schedule();
    else void work.then(schedule);
  };
  schedule();
  return () => {
    isStopped = true;
    cancel();
  };
}
