import type { Pod } from './core/commands/pod.ts';
import { every } from './core/base/every.ts';

/** A faster start logs nothing. */
const LOOK_MS = 2_000;

/** Logs what a starting pod waits for and why, again after each change. The returned function stops this. */
export function logWhatStartWaitsFor({ broker, clock, log }: Pod, seconds: number): () => void {
  let logged: string | undefined;
  return every(clock, LOOK_MS, () => {
    const engine = broker.troubles?.() ?? [];
    const text = JSON.stringify(engine);
    if (text !== logged) {
      log.warn(
        { engine, seconds },
        'the engine is not reached yet; the pod serves clients when it is, or after START_WAIT_SECONDS',
      );
    }
    logged = text;
  });
}
