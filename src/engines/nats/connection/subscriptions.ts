import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { natsUnavailable, reasonOf } from './answers.ts';
import type { Log } from '../../../core/ports/log.ts';

interface Wanted {
  readonly subject: string;
  readonly take: (message: Msg) => void;
  subscription: Subscription | undefined;
}

/** This pod's subscriptions, made again on every connection. */
export class Subscriptions {
  readonly #log: Log;
  readonly #onDenied: (reason: string) => void;
  readonly #all = new Set<Wanted>();
  /** Those that the server denied on this connection, and why. */
  readonly #denied = new Map<Wanted, string>();

  /** `denied` is called when the server denies a subscription. */
  constructor(log: Log, denied: (reason: string) => void) {
    this.#log = log;
    this.#onDenied = denied;
  }

  /** The returned function unsubscribes. */
  add(subject: string, take: (message: Msg) => void, connection: NatsConnection | undefined): () => void {
    const wanted: Wanted = { subject, take, subscription: undefined };
    this.#all.add(wanted);
    if (connection !== undefined && !connection.isClosed()) this.#ask(wanted, connection);
    return () => {
      this.#all.delete(wanted);
      this.#denied.delete(wanted);
      end(wanted);
    };
  }

  /** Subscribes on a new connection. */
  begin(connection: NatsConnection): void {
    this.#denied.clear();
    for (const wanted of this.#all) this.#ask(wanted, connection);
  }

  /** Subscribes again what the server denied: it may permit that by now. */
  askAgain(connection: NatsConnection): void {
    const denied = [...this.#denied.keys()];
    this.#denied.clear();
    for (const wanted of denied) {
      end(wanted);
      this.#ask(wanted, connection);
    }
  }

  /** Raises Unavailable if the server denied a subscription. */
  requirePermitted(): void {
    for (const reason of this.#denied.values()) throw natsUnavailable(reason);
  }

  #ask(wanted: Wanted, connection: NatsConnection): void {
    wanted.subscription = connection.subscribe(wanted.subject, {
      callback: (error, message) => {
        if (error === null) this.#take(wanted, message);
        else this.#deny(wanted, reasonOf(error));
      },
    });
  }

  #deny(wanted: Wanted, reason: string): void {
    if (this.#all.has(wanted)) this.#denied.set(wanted, reason);
    this.#onDenied(reason);
  }

  #take(wanted: Wanted, message: Msg): void {
    try {
      wanted.take(message);
    } catch (error) {
      this.#log.error({ err: error }, 'a message from another pod could not be processed');
    }
  }
}

function end(wanted: Wanted): void {
  if (wanted.subscription?.isClosed() === false) wanted.subscription.unsubscribe();
  wanted.subscription = undefined;
}
