import type { Channels } from './placement.ts';
import { ignored } from '../../shared/ignored.ts';
import { redisUnavailable } from './errors.ts';
import type { SubscriberConnection } from './subscriber-connection.ts';

export interface ClusterChannelsOptions {
  /** The connection to the master that has a channel now; undefined if none has. */
  readonly subscriberOf: (channel: string) => SubscriberConnection | undefined;
  /** These are subscribed at another master now; publications may have been missed meanwhile. */
  readonly moved: (channels: ReadonlySet<string>) => void;
}

/** The channels of a Cluster that this pod subscribes, each at the master that has its slot. */
export class ClusterChannels implements Channels {
  readonly #options: ClusterChannelsOptions;
  /** Undefined: at no master, until `place`. */
  readonly #at = new Map<string, SubscriberConnection | undefined>();
  #unplaced = 0;

  constructor(options: ClusterChannelsOptions) {
    this.#options = options;
  }

  /** Whether some channel is at no master. */
  get unplaced(): boolean {
    return this.#unplaced > 0;
  }

  isSubscribed(channel: string): boolean {
    return this.#at.get(channel)?.isSubscribed(channel) ?? false;
  }

  async subscribe(channel: string): Promise<void> {
    if (!this.#at.has(channel)) this.#put(channel, this.#options.subscriberOf(channel));
    await this.#at.get(channel)?.subscribe(channel);
    if (this.#at.has(channel) && !this.isSubscribed(channel))
      throw redisUnavailable('the slot of the channel is moving');
  }

  unsubscribe(channel: string): void {
    const at = this.#at.get(channel);
    if (this.#at.has(channel) && at === undefined) this.#unplaced -= 1;
    this.#at.delete(channel);
    at?.unsubscribe(channel);
  }

  /** The server has ended these subscriptions. */
  displace(channels: readonly string[]): void {
    for (const channel of channels) if (this.#at.get(channel) !== undefined) this.#put(channel, undefined);
  }

  /** Subscribes each channel at the master that has it now. */
  place(): void {
    const moved = new Set<string>();
    const asked: Promise<void>[] = [];
    for (const [channel, at] of this.#at) {
      const to = this.#options.subscriberOf(channel);
      if (to === at) continue;
      at?.unsubscribe(channel);
      this.#put(channel, to);
      if (to === undefined) continue;
      moved.add(channel);
      asked.push(to.subscribe(channel).catch(ignored));
    }
    if (moved.size > 0) void Promise.all(asked).then(() => this.#tellMoved(moved));
  }

  #tellMoved(moved: ReadonlySet<string>): void {
    // The others follow when their connection comes up, or are displaced once more.
    const subscribed = new Set([...moved].filter((channel) => this.isSubscribed(channel)));
    if (subscribed.size > 0) this.#options.moved(subscribed);
  }

  #put(channel: string, at: SubscriberConnection | undefined): void {
    const was = this.#at.has(channel) && this.#at.get(channel) === undefined;
    this.#unplaced += Number(at === undefined) - Number(was);
    this.#at.set(channel, at);
  }
}
