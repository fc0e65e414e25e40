import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import type { Outgoing } from './outgoing.ts';
import { pause } from '../../core/base/pause.ts';

/** After the return of what the pods share every pod has found it again by then (redis/options.ts, nats/options.ts). */
const RESUME_MS = 1_000;
/** How long a stop waits for it, and how often it looks. */
const STOP_MS = 5_000;
const STOP_STEP_MS = 200;

/** Whether a room is among those that have come back. */
type Concerns = (room: string) => boolean;

/**
 * What waited goes out when the other pods have had time to come back too: they hear it then, also where it is more
 * than history keeps.
 */
export class Resumption {
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What has come back, and where the other pods are given time to come back too. */
  readonly #resuming = new Set<Concerns>();

  constructor(outgoing: Outgoing, clock: Clock, log: Log) {
    this.#outgoing = outgoing;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether publications there are sent. */
  isOver(room: string): boolean {
    for (const concerns of this.#resuming) if (concerns(room)) return false;
    return true;
  }

  /** The histories of these are there (again). */
  begin(concerns: Concerns): void {
    if (this.#outgoing.waiting === 0) return;
    this.#resuming.add(concerns);
    this.#clock.after(RESUME_MS, () => {
      this.#resuming.delete(concerns);
      void this.#outgoing.pump();
    });
  }

  /** Resolves when nothing waits any more, or after five seconds. */
  async finish(): Promise<void> {
    for (let waited = 0; ; waited += STOP_STEP_MS) {
      this.#resuming.clear();
      await this.#outgoing.pump();
      if (this.#outgoing.size === 0 || waited >= STOP_MS) break;
      await pause(this.#clock, STOP_STEP_MS);
    }
    const lost = this.#outgoing.size;
    if (lost > 0) this.#log.error({ lost }, 'the history did not come back: publications are lost');
  }
}
