import type { Clock } from '../../../core/ports/clock.ts';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';

/**
 * The time by the server's clock, which all pods share: what one pod's clock is set to concerns nobody. Between two
 * greetings, and while NATS is away, it goes on with the clock that nobody can set.
 */
export class ServerTime {
  readonly #clock: Clock;
  /** What the server's clock is ahead of `Clock.elapsed`; at first what the pod's own is. */
  #aheadMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.now() - clock.elapsed();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Math.round(this.#clock.elapsed() + this.#aheadMs);
  }

  /** Keeps a message under this subject, which is nobody else's, and learns when the server did that. Raises what JetStream says. */
  async learn(js: JetStreamClient, jsm: JetStreamManager, subject: string): Promise<void> {
    const sent = this.#clock.elapsed();
    const { seq, stream } = await js.publish(subject, '');
    const between = (sent + this.#clock.elapsed()) / 2;
    const kept = await jsm.streams.getMessage(stream, { seq });
    if (kept !== null) this.#aheadMs = kept.time.getTime() - between;
  }
}
