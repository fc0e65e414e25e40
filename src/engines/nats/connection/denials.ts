import { headers, type NatsConnection } from '@nats-io/transport-node';
import { isDenied, natsUnavailable, reasonOf, shown } from './answers.ts';

/** No stream reaches this sequence, so a message that expects to follow it is never stored. */
const NEVER = String(Number.MAX_SAFE_INTEGER);

/**
 * The subjects on which the server denied a publication. Without them the pod would come up, and fail at the next
 * publication.
 */
export class Denials {
  /** The last denied subject of each kind. */
  readonly #subjects = new Map<string, string>();
  #reason = '';

  /** Takes an error that the server reported. */
  note(error: Error): void {
    if (!isDenied(error) || error.operation !== 'publish') return;
    this.#subjects.set(shown(error.subject), error.subject);
    this.#reason = reasonOf(error);
  }

  /** Publishes on all of them without any effect. Raises Unavailable if the server still denies one. */
  async requireOver(connection: NatsConnection): Promise<void> {
    if (this.#subjects.size === 0) return;
    const subjects = [...this.#subjects.values()];
    this.#subjects.clear();
    const expectation = headers();
    expectation.set('Nats-Expected-Last-Sequence', NEVER);
    for (const subject of subjects) connection.publish(subject, '', { headers: expectation });
    await connection.flush();
    // Denials that came before the answer to `flush` are noted in this turn.
    await new Promise(setImmediate);
    if (this.#subjects.size > 0) throw natsUnavailable(this.#reason);
  }
}
