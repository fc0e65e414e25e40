import type { Clock } from '../../core/ports/clock.ts';
import type { Log } from '../../core/ports/log.ts';
import { pause } from '../../core/base/pause.ts';
import type { PublishQueues } from './publish-queues.ts';

/**
 * Every pod has reconnected by then after Redis or NATS came back (redis/connection/options.ts,
 * nats/connection/options.ts).
 */
const RESUME_MS = 1_000;
/** A stopping pod waits so long for the history, and looks so often. */
const STOP_MS = 5_000;
const STOP_STEP_MS = 200;

type Concerns = (room: string) => boolean;

/**
 * Sends the publications that waited, a second after their histories came back. By then the other pods have subscribed
 * again and receive them; sent earlier, more than a history holds could pass them by.
 */
export class Resumption {
  readonly #queues: PublishQueues;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Rooms whose histories are back, while the other pods are given time to reconnect. */
  readonly #resuming = new Set<Concerns>();

  constructor(queues: PublishQueues, clock: Clock, log: Log) {
    this.#queues = queues;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether publications in the room may be sent. */
  isOver(room: string): boolean {
    for (const concerns of this.#resuming) if (concerns(room)) return false;
    return true;
  }

  /** The histories of these rooms can be reached (again). */
  begin(concerns: Concerns): void {
    if (this.#queues.waiting === 0) return;
    this.#resuming.add(concerns);
    this.#clock.after(RESUME_MS, () => {
      this.#resuming.delete(concerns);
      void this.#queues.pump();
    });
  }

  /** Resolves when nothing waits any more, or after five seconds. */
  async finish(): Promise<void> {
    for (let waited = 0; ; waited += STOP_STEP_MS) {
      this.#resuming.clear();
      await this.#queues.pump();
      if (this.#queues.size === 0 || waited >= STOP_MS) break;
      await pause(this.#clock, STOP_STEP_MS);
    }
    const lost = this.#queues.size;
    if (lost > 0) this.#log.error({ lost }, 'the history did not come back: publications are lost');
  }
}
