import type { Pod } from './core/commands/pod.ts';
import { every } from './core/base/every.ts';

/** A start that takes less time than this has nothing to report. */
const LOOK_MS = 2_000;

/** Logs what a starting pod waits for and why, and again whenever that changes. The returned function stops it. */
export function logWhatStartWaitsFor({ broker, clock, log }: Pod, seconds: number): () => void {
  let logged: string | undefined;
  return every(clock, LOOK_MS, () => {
    const engine = broker.troubles?.() ?? [];
    const text = JSON.stringify(engine);
    if (text !== logged) {
      log.warn(
        { engine, seconds },
        'not reached yet; clients are not served until it is, or the time is over',
      );
    }
    logged = text;
  });
}
