import { ignored } from '../../shared/ignored.ts';
import { redisUnavailable } from './errors.ts';
import type { SubscriberConnection } from './subscriber-connection.ts';

export interface ClusterChannelsOptions {
  /** Where a channel is heard at present; undefined: nowhere. */
  readonly whose: (channel: string) => SubscriberConnection | undefined;
  /** These are heard where they are now; what was published while they moved may have been missed. */
  readonly arrived: (channels: ReadonlySet<string>) => void;
}

/** The channels that a pod has asked for, and at which master of a Cluster it hears each. */
export class ClusterChannels {
  readonly #options: ClusterChannelsOptions;
  /** Undefined: it has to be asked for anew. */
  readonly #at = new Map<string, SubscriberConnection | undefined>();
  #displaced = 0;

  constructor(options: ClusterChannelsOptions) {
    this.#options = options;
  }

  /** Some channel is asked for nowhere. */
  get unplaced(): boolean {
    return this.#displaced > 0;
  }

  hears(channel: string): boolean {
    return this.#at.get(channel)?.has(channel) ?? false;
  }

  /** Resolves once it is heard. Raises Unavailable; it stays asked for. */
  async subscribe(channel: string): Promise<void> {
    if (!this.#at.has(channel)) this.#put(channel, this.#options.whose(channel));
    await this.#at.get(channel)?.subscribe(channel);
    if (this.#at.has(channel) && !this.hears(channel)) throw redisUnavailable('the channel is on its way');
  }

  unsubscribe(channel: string): void {
    const at = this.#at.get(channel);
    if (this.#at.has(channel) && at === undefined) this.#displaced -= 1;
    this.#at.delete(channel);
    at?.unsubscribe(channel);
  }

  /** They are no longer heard where they were. */
  displace(channels: readonly string[]): void {
    for (const channel of channels) if (this.#at.get(channel) !== undefined) this.#put(channel, undefined);
  }

  /** Moves each to where it is heard now. */
  place(): void {
    const moved = new Set<string>();
    const asked: Promise<void>[] = [];
    for (const [channel, at] of this.#at) {
      const whose = this.#options.whose(channel);
      if (whose === at) continue;
      at?.unsubscribe(channel);
      this.#put(channel, whose);
      if (whose === undefined) continue;
      moved.add(channel);
      asked.push(whose.subscribe(channel).catch(ignored));
    }
    if (moved.size > 0) void Promise.all(asked).then(() => this.#tellArrived(moved));
  }

  #tellArrived(moved: ReadonlySet<string>): void {
    // The others come with the connection that is not there yet, or are displaced once more.
    const heard = new Set([...moved].filter((channel) => this.hears(channel)));
    if (heard.size > 0) this.#options.arrived(heard);
  }

  #put(channel: string, at: SubscriberConnection | undefined): void {
    const was = this.#at.has(channel) && this.#at.get(channel) === undefined;
    this.#displaced += Number(at === undefined) - Number(was);
    this.#at.set(channel, at);
  }
}
