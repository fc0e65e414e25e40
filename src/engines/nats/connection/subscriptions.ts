import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { natsUnavailable, reasonOf } from './answers.ts';
import type { Log } from '../../../core/ports/log.ts';

interface Wanted {
  readonly subject: string;
  readonly take: (message: Msg) => void;
  subscription: Subscription | undefined;
}

/** What this pod wants to hear, asked for again on every connection. */
export class Subscriptions {
  readonly #log: Log;
  readonly #refused: (reason: string) => void;
  readonly #wishes = new Set<Wanted>();
  /** What of it is not heard on this connection, and why. */
  readonly #denied = new Map<Wanted, string>();

  /** `refused` is told when the server does not permit one. */
  constructor(log: Log, refused: (reason: string) => void) {
    this.#log = log;
    this.#refused = refused;
  }

  /** The answer ends it. */
  add(subject: string, take: (message: Msg) => void, connection: NatsConnection | undefined): () => void {
    const wish: Wanted = { subject, take, subscription: undefined };
    this.#wishes.add(wish);
    if (connection !== undefined && !connection.isClosed()) this.#ask(wish, connection);
    return () => {
      this.#wishes.delete(wish);
      this.#denied.delete(wish);
      end(wish);
    };
  }

  /** On a new connection. */
  begin(connection: NatsConnection): void {
    this.#denied.clear();
    for (const wish of this.#wishes) this.#ask(wish, connection);
  }

  /** What the server did not permit it may permit by now. */
  askAgain(connection: NatsConnection): void {
    const denied = [...this.#denied.keys()];
    this.#denied.clear();
    for (const wish of denied) {
      end(wish);
      this.#ask(wish, connection);
    }
  }

  /** Raises Unavailable where the server did not permit all that was asked for. */
  requirePermitted(): void {
    for (const reason of this.#denied.values()) throw natsUnavailable(reason);
  }

  #ask(wish: Wanted, connection: NatsConnection): void {
    wish.subscription = connection.subscribe(wish.subject, {
      callback: (error, message) => {
        if (error === null) this.#take(wish, message);
        else this.#deny(wish, reasonOf(error));
      },
    });
  }

  #deny(wish: Wanted, reason: string): void {
    if (this.#wishes.has(wish)) this.#denied.set(wish, reason);
    this.#refused(reason);
  }

  #take(wish: Wanted, message: Msg): void {
    try {
      wish.take(message);
    } catch (error) {
      this.#log.error({ err: error }, 'what came from another pod could not be taken');
    }
  }
}

function end(wish: Wanted): void {
  if (wish.subscription?.isClosed() === false) wish.subscription.unsubscribe();
  wish.subscription = undefined;
}
