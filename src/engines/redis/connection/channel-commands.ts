import type { AnswerTimeout } from './answer-timeout.ts';
import { ignored } from '../../shared/ignored.ts';
import { isMoved } from './errors.ts';
import type { ReconnectingClient } from './reconnecting-client.ts';
import type { Redis } from 'ioredis';

/** How channels of a server are subscribed. */
export interface ChannelCommands {
  /** Gives those that the server has confirmed. Raises what Redis answers. */
  subscribe(channels: readonly string[]): Promise<readonly string[]>;
  unsubscribe(channels: readonly string[]): void;
}

/** Of a server that has all channels. */
export class PlainChannelCommands implements ChannelCommands {
  readonly #redis: Redis;
  readonly #timeout: AnswerTimeout;

  constructor({ redis, timeout }: ReconnectingClient) {
    this.#redis = redis;
    this.#timeout = timeout;
  }

  async subscribe(channels: readonly string[]): Promise<readonly string[]> {
    await this.#timeout.watch(this.#redis.subscribe(...channels));
    return channels;
  }

  unsubscribe(channels: readonly string[]): void {
    this.#timeout.watch(this.#redis.unsubscribe(...channels)).catch(ignored);
  }
}

/** Of a master of a Cluster, which has the channels of its slots. */
export class ShardedChannelCommands implements ChannelCommands {
  readonly #redis: Redis;
  readonly #timeout: AnswerTimeout;
  #isEnding = false;

  /** The server ends subscriptions when their slot moves; then `ended` is called, with those that are left. */
  constructor({ redis, timeout }: ReconnectingClient, ended: (left: ReadonlySet<string>) => void) {
    this.#redis = redis;
    this.#timeout = timeout;
    redis.on('moved', () => {
      if (this.#isEnding) return;
      this.#isEnding = true;
      // The server ends many at once, and ioredis emits an event for each.
      setImmediate(() => {
        this.#isEnding = false;
        ended(this.#confirmed());
      });
    });
  }

  async subscribe(channels: readonly string[]): Promise<readonly string[]> {
    // One command cannot name channels of two slots.
    const asked = await Promise.allSettled(
      channels.map((channel) => this.#timeout.watch(this.#redis.ssubscribe(channel))),
    );
    for (const answer of asked) {
      if (answer.status === 'rejected' && !isMoved(answer.reason as Error)) throw answer.reason;
    }
    // Not the answers: the server may have ended some of these before the last one was answered.
    const confirmed = this.#confirmed();
    return channels.filter((channel) => confirmed.has(channel));
  }

  unsubscribe(channels: readonly string[]): void {
    for (const channel of channels) this.#timeout.watch(this.#redis.sunsubscribe(channel)).catch(ignored);
  }

  /** ioredis keeps them, under no public name. */
  #confirmed(): Set<string> {
    const { subscriber } = this.#redis['condition'] ?? {};
    return new Set(subscriber ? subscriber.channels('ssubscribe') : []);
  }
}
