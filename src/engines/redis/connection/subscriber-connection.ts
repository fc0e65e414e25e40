import { type ChannelCommands, PlainChannelCommands, ShardedChannelCommands } from './channel-commands.ts';
import { isForbidden, redisUnavailable } from './errors.ts';
import { atMostOncePer } from '../../../core/base/at-most.ts';
import type { Channels } from './placement.ts';
import { readEnvelope } from '../../shared/envelope.ts';
import { ReconnectingClient } from './reconnecting-client.ts';
import type { ServerOptions } from './server-options.ts';

/** A probe that does not come back for this long means that no publication does. */
const PROBE_MS = 5_000;
/** Channels in one SUBSCRIBE after a reconnect. */
const CHUNK = 500;
const RETRY_MS = 500;
/** How often a missing right is logged. */
const NAMED_MS = 60_000;

/**
 * `gone`: no connection. `coming`: the wanted channels are being subscribed. `refused`: the server refused some of
 * them; the others are subscribed. `up`: all are subscribed.
 */
type State = 'gone' | 'coming' | 'refused' | 'up';

/** The connection to one server that subscribes. After a reconnect it subscribes all wanted channels again. */
export class SubscriberConnection implements Channels {
  readonly #client: ReconnectingClient;
  readonly #commands: ChannelCommands;
  readonly #options: ServerOptions;
  readonly #whenUp: (() => void)[] = [];
  readonly #wanted = new Set<string>();
  /** Wanted, and confirmed by the server on this connection. */
  readonly #live = new Set<string>();
  /** The latest request for each channel: the answer to an earlier one does not count. */
  readonly #asked = new Map<string, number>();
  #requests = 0;
  /** To be subscribed or unsubscribed at the end of this turn. */
  #touched = new Set<string>();
  #batch: Promise<void> | undefined;
  #state: State = 'gone';
  #cancelProbe: (() => void) | undefined;
  readonly #logMissing: () => void;
  /** How often it was found dead and reconnected. */
  revivals = 0;

  constructor(options: ServerOptions) {
    const { clock, log, pod, role } = options;
    this.#options = options;
    this.#logMissing = atMostOncePer(NAMED_MS, clock, () =>
      log.warn(
        { reason: this.lastError },
        'Redis refuses this pod a subscription; grant its user these rights',
      ),
    );
    this.#client = new ReconnectingClient({
      ...options,
      connectionName: `crosspod-subscriber:${pod}`,
      ready: () => {
        this.#state = 'coming';
        void this.#resubscribe();
      },
      closed: () => this.#lose(),
      timedOut: () => this.#reconnect('a command was not answered for two seconds'),
    });
    const take = (channel: Buffer, message: Buffer): void => this.#take(channel, message);
    this.#client.redis.on('messageBuffer', take);
    this.#client.redis.on('smessageBuffer', take);
    this.#commands = role.sharded
      ? new ShardedChannelCommands(this.#client, (left) =>
          this.#giveUp([...this.#live].filter((channel) => !left.has(channel))),
        )
      : new PlainChannelCommands(this.#client);
  }

  /** Whether every wanted channel is subscribed. */
  get up(): boolean {
    return this.#state === 'up';
  }

  /** Why it is not up; empty while it is. */
  get lastError(): string {
    return this.#client.lastError;
  }

  isSubscribed(channel: string): boolean {
    return this.#live.has(channel);
  }

  whenUp(task: () => void): void {
    this.#whenUp.push(task);
  }

  start(): void {
    this.#client.start();
  }

  stop(): void {
    this.#client.stop();
    this.#lose();
  }

  async subscribe(channel: string): Promise<void> {
    this.#wanted.add(channel);
    if (!this.#isConnected()) throw redisUnavailable('there is no connection for subscriptions');
    if (this.#live.has(channel)) return;
    await this.#touch(channel);
    if (!this.#live.has(channel) && this.#wanted.has(channel))
      throw redisUnavailable('the channel could not be subscribed');
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
    this.#live.delete(channel);
    if (this.#isConnected()) void this.#touch(channel);
  }

  /** A probe is about to be published; reconnects if it does not come back. */
  expectProbe(): void {
    if (!this.#isConnected() || this.#cancelProbe !== undefined) return;
    this.#cancelProbe = this.#options.clock.after(PROBE_MS, () => {
      this.#cancelProbe = undefined;
      this.revivals += 1;
      this.#options.log.warn({}, 'the subscription to Redis is dead; this pod reconnects it');
      this.#reconnect('nothing that was published came back');
    });
  }

  /** The probe came back, or was never published. */
  forgetProbe(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }

  /** Resolves once the server was asked for all channels of this turn, and has answered. */
  #touch(channel: string): Promise<void> {
    this.#touched.add(channel);
    this.#batch ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#batch = undefined;
        resolve(this.#flush());
      });
    });
    return this.#batch;
  }

  async #flush(): Promise<void> {
    const channels = [...this.#touched];
    this.#touched = new Set();
    if (!this.#isConnected()) return;
    const wanted = channels.filter((channel) => this.#wanted.has(channel) && !this.#live.has(channel));
    const unwanted = channels.filter((channel) => !this.#wanted.has(channel));
    this.#leave(unwanted);
    await this.#confirm(wanted).catch((error: unknown) => this.#fail(error as Error));
  }

  async #confirm(channels: readonly string[]): Promise<void> {
    if (channels.length === 0) return;
    const request = (this.#requests += 1);
    for (const channel of channels) this.#asked.set(channel, request);
    const confirmed = await this.#subscribe(channels);
    const latest = confirmed.filter((channel) => this.#asked.get(channel) === request);
    for (const channel of latest) if (this.#wanted.has(channel)) this.#live.add(channel);
    this.#leave(latest.filter((channel) => !this.#wanted.has(channel)));
  }

  /** Gives those that the server has confirmed, and gives up the others. */
  async #subscribe(channels: readonly string[]): Promise<readonly string[]> {
    const confirmed = await this.#commands.subscribe(channels);
    if (confirmed.length < channels.length) {
      const there = new Set(confirmed);
      this.#giveUp(channels.filter((channel) => !there.has(channel)));
    }
    return confirmed;
  }

  #giveUp(channels: readonly string[]): void {
    if (channels.length === 0) return;
    for (const channel of channels) {
      this.#wanted.delete(channel);
      this.#live.delete(channel);
      this.#asked.delete(channel);
    }
    this.#options.role.channelsMoved(channels);
  }

  #leave(channels: readonly string[]): void {
    if (channels.length === 0) return;
    for (const channel of channels) this.#asked.delete(channel);
    this.#commands.unsubscribe(channels);
  }

  async #resubscribe(): Promise<void> {
    try {
      // Until nothing is missing: more channels may be wanted meanwhile.
      for (;;) {
        const missing = [...this.#wanted].filter((channel) => !this.#live.has(channel));
        if (missing.length === 0) break;
        for (let at = 0; at < missing.length; at += CHUNK) await this.#confirm(missing.slice(at, at + CHUNK));
      }
      // The refused channels may no longer be wanted: a live one shows whether the right is back.
      const [live] = this.#live;
      if (this.#state === 'refused' && live !== undefined) await this.#subscribe([live]);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#client.lastError = '';
    this.#state = 'up';
    for (const task of this.#whenUp) task();
  }

  #fail(error: Error): void {
    if (this.#client.redis.status !== 'ready') return;
    if (!isForbidden(error)) return this.#reconnect(error.message);
    this.#client.lastError = error.message;
    this.#logMissing();
    this.#state = 'refused';
    this.#client.retry(RETRY_MS, () => {
      if (this.#state === 'refused') void this.#resubscribe();
    });
  }

  #reconnect(reason: string): void {
    this.#client.lastError = reason;
    this.#client.reconnect();
  }

  #take(channel: Buffer, message: Buffer): void {
    try {
      const envelope = readEnvelope(message);
      if (envelope?.kind === 'probe') this.forgetProbe();
      else if (envelope !== undefined) this.#options.receive(channel.toString(), envelope);
    } catch (error) {
      this.#options.log.error({ err: error }, 'a publication of another pod could not be processed');
    }
  }

  /** Whether channels are subscribed as soon as they are wanted. */
  #isConnected(): boolean {
    return this.#state === 'up' || this.#state === 'refused';
  }

  #lose(): void {
    this.#state = 'gone';
    if (this.lastError === '') this.#client.lastError = 'the connection was closed';
    this.#client.timeout.reset();
    this.#live.clear();
    this.#asked.clear();
    this.forgetProbe();
  }
}
