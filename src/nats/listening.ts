import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { natsAway, reasonOf } from './answers.ts';
import type { Log } from '../core/ports/log.ts';

interface Wish {
  readonly subject: string;
  readonly take: (message: Msg) => void;
  subscription: Subscription | undefined;
}

/** What this pod wants to hear, asked for again on every connection. */
export class Listening {
  readonly #log: Log;
  readonly #refused: (reason: string) => void;
  readonly #wishes = new Set<Wish>();
  /** Why not all of it is heard on this connection. */
  #denied: string | undefined;

  /** `refused` is told when the server does not permit one. */
  constructor(log: Log, refused: (reason: string) => void) {
    this.#log = log;
    this.#refused = refused;
  }

  /** The answer ends it. */
  add(subject: string, take: (message: Msg) => void, connection: NatsConnection | undefined): () => void {
    const wish: Wish = { subject, take, subscription: undefined };
    this.#wishes.add(wish);
    if (connection !== undefined && !connection.isClosed()) this.#ask(wish, connection);
    return () => {
      this.#wishes.delete(wish);
      if (wish.subscription?.isClosed() === false) wish.subscription.unsubscribe();
      wish.subscription = undefined;
    };
  }

  /** On a new connection. */
  begin(connection: NatsConnection): void {
    this.#denied = undefined;
    for (const wish of this.#wishes) this.#ask(wish, connection);
  }

  /** Raises Away where the server did not permit all that was asked for. */
  requirePermitted(): void {
    if (this.#denied !== undefined) throw natsAway(this.#denied);
  }

  #ask(wish: Wish, connection: NatsConnection): void {
    wish.subscription = connection.subscribe(wish.subject, {
      callback: (error, message) => {
        if (error === null) this.#take(wish, message);
        else this.#deny(reasonOf(error));
      },
    });
  }

  #deny(reason: string): void {
    this.#denied = reason;
    this.#refused(reason);
  }

  #take(wish: Wish, message: Msg): void {
    try {
      wish.take(message);
    } catch (error) {
      this.#log.error({ err: error }, 'what came from another pod could not be taken');
    }
  }
}
