import type { Clock } from '../../../core/ports/clock.ts';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';

/**
 * The time by the server's clock, which all pods share, so that a pod's own clock may be wrong. Between two greetings,
 * and while NATS is unavailable, it advances with `Clock.elapsed`, which cannot be set.
 */
export class ServerTime {
  readonly #clock: Clock;
  /** How far the server's clock is ahead of `Clock.elapsed`; before the first greeting, how far the pod's own is. */
  #aheadMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#aheadMs = clock.now() - clock.elapsed();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return Math.round(this.#clock.elapsed() + this.#aheadMs);
  }

  /**
   * Stores a message under this subject, which no other pod uses, and reads its server time. Raises errors of
   * JetStream.
   */
  async learn(js: JetStreamClient, jsm: JetStreamManager, subject: string): Promise<void> {
    const sent = this.#clock.elapsed();
    const { seq, stream } = await js.publish(subject, '');
    const between = (sent + this.#clock.elapsed()) / 2;
    const stored = await jsm.streams.getMessage(stream, { seq });
    if (stored !== null) this.#aheadMs = stored.time.getTime() - between;
  }
}
