import { headers, type NatsConnection } from '@nats-io/transport-node';
import { isDenied, natsUnavailable, reasonOf, shown } from './answers.ts';

/** No stream ever comes so far: what expects to follow that is kept nowhere. */
const NEVER = String(Number.MAX_SAFE_INTEGER);

/** What the server did not permit this pod to publish. Without it the pod would seem to be well until it tries again. */
export class Denials {
  /** The last subject of each kind. */
  readonly #subjects = new Map<string, string>();
  #reason = '';

  /** The server has said this. */
  note(error: Error): void {
    if (!isDenied(error) || error.operation !== 'publish') return;
    this.#subjects.set(shown(error.subject), error.subject);
    this.#reason = reasonOf(error);
  }

  /** Tries all of it in a way that changes nothing. Raises Unavailable where any of it is still not permitted. */
  async requireOver(connection: NatsConnection): Promise<void> {
    if (this.#subjects.size === 0) return;
    const subjects = [...this.#subjects.values()];
    this.#subjects.clear();
    const expectation = headers();
    expectation.set('Nats-Expected-Last-Sequence', NEVER);
    for (const subject of subjects) connection.publish(subject, '', { headers: expectation });
    await connection.flush();
    // What was said before the answer is noted in the same turn.
    await new Promise(setImmediate);
    if (this.#subjects.size > 0) throw natsUnavailable(this.#reason);
  }
}
