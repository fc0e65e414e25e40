import { clientOptions, type RedisAddress } from './options.ts';
import { type Envelope, readEnvelope } from '../../shared/envelope.ts';
import { isElsewhere, isForbidden, redisUnavailable } from './errors.ts';
import { atMostOncePer } from '../../../core/base/at-most.ts';
import { ignored } from '../../shared/ignored.ts';
import { AnswerTimeout } from './answer-timeout.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import { Redis } from 'ioredis';

/** A probe that does not come back for so long means that nothing else does either. */
const PROBE_MS = 5_000;
/** Channels in one SUBSCRIBE after a reconnect. */
const CHUNK = 500;
const RETRY_MS = 500;
/** How often a missing right is named. */
const NAMED_MS = 60_000;

export interface SubscriberConnectionOptions {
  readonly address: RedisAddress;
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: of one server, which has all channels. */
  readonly sharded?: ShardedChannels | undefined;
  /** What came on a channel. */
  readonly receive: (channel: string, envelope: Envelope) => void;
}

/** Of a server that has only some of the channels. */
export interface ShardedChannels {
  /** These were asked for here, and are elsewhere; nobody asks for them here any more. */
  elsewhere(channels: readonly string[]): void;
}

/**
 * `gone`: there is no connection. `coming`: what was asked for is being subscribed. `refused`: some of it may not be; the
 * rest is heard. `up`: all is heard.
 */
type State = 'gone' | 'coming' | 'refused' | 'up';

/** The one connection to a server that listens. Channels that were asked for are subscribed again whenever it comes back. */
export class SubscriberConnection {
  readonly #client: Redis;
  readonly #options: SubscriberConnectionOptions;
  readonly #whenUp: (() => void)[] = [];
  readonly #wanted = new Set<string>();
  /** Those of them that the server has confirmed on this connection. */
  readonly #live = new Set<string>();
  /** For each channel that was subscribed: by which of all requests, so that an older answer does not count. */
  readonly #asked = new Map<string, number>();
  #requests = 0;
  /** Those that the end of this turn has to look at. */
  #touched = new Set<string>();
  #batch: Promise<void> | undefined;
  #state: State = 'gone';
  #leaving = false;
  #stopped = false;
  #isRetrying = false;
  #cancelProbe: (() => void) | undefined;
  readonly #timeout: AnswerTimeout;
  readonly #nameMissing: () => void;
  /** Why it is not there, while it is not. */
  lastError = 'not connected yet';
  /** How often it was found dead and connected anew. */
  revivals = 0;

  constructor(options: SubscriberConnectionOptions) {
    const { address, clock, log, pod } = options;
    this.#options = options;
    this.#timeout = new AnswerTimeout(clock, () =>
      this.#reconnect('a command was not answered for two seconds'),
    );
    this.#nameMissing = atMostOncePer(NAMED_MS, clock, () =>
      log.warn(
        { reason: this.lastError },
        'Redis refuses to let this pod listen: give its user these rights',
      ),
    );
    this.#client = new Redis(clientOptions(address, `crosspod-subscriber:${pod}`, clock));
    this.#client.on('error', (error: Error) => (this.lastError = error.message));
    this.#client.on('connect', () => this.#timeout.sent());
    this.#client.on('ready', () => {
      this.#timeout.answered();
      this.#state = 'coming';
      void this.#resubscribe();
    });
    this.#client.on('close', () => this.#lose());
    this.#client.on('end', () => this.#retry());
    const take = (channel: Buffer, message: Buffer): void => this.#take(channel, message);
    this.#client.on('messageBuffer', take);
    this.#client.on('smessageBuffer', take);
    this.#client.on('moved', () => this.#leaveThoseGoneSoon());
  }

  /** Every channel that was asked for is subscribed. */
  get up(): boolean {
    return this.#state === 'up';
  }

  /** Whether the server has confirmed the channel. */
  has(channel: string): boolean {
    return this.#live.has(channel);
  }

  whenUp(task: () => void): void {
    this.#whenUp.push(task);
  }

  start(): void {
    this.#client.connect().catch(ignored);
  }

  stop(): void {
    this.#stopped = true;
    this.#lose();
    this.#client.disconnect();
  }

  /** Resolves once the server has confirmed it. Raises Unavailable; the channel stays asked for. */
  async subscribe(channel: string): Promise<void> {
    this.#wanted.add(channel);
    if (!this.#isThere()) throw redisUnavailable('the subscription is not there');
    if (this.#live.has(channel)) return;
    await this.#touch(channel);
    if (!this.#live.has(channel) && this.#wanted.has(channel))
      throw redisUnavailable('it could not be subscribed');
  }

  unsubscribe(channel: string): void {
    this.#wanted.delete(channel);
    this.#live.delete(channel);
    if (this.#isThere()) void this.#touch(channel);
  }

  /** A probe is about to be published; if it does not come back the connection is made anew. */
  expectProbe(): void {
    if (!this.#isThere() || this.#cancelProbe !== undefined) return;
    this.#cancelProbe = this.#options.clock.after(PROBE_MS, () => {
      this.#cancelProbe = undefined;
      this.revivals += 1;
      this.#options.log.warn({}, 'the subscription to Redis is dead; it is made anew');
      this.#reconnect('nothing that was published came back');
    });
  }

  /** The probe came back, or was never published. */
  forgetProbe(): void {
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }

  /** Has the server told of it at the end of this turn, with all others of the turn. */
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
    if (!this.#isThere()) return;
    const wanted = channels.filter((channel) => this.#wanted.has(channel) && !this.#live.has(channel));
    const unwanted = channels.filter((channel) => !this.#wanted.has(channel));
    this.#leave(unwanted);
    await this.#confirm(wanted).catch((error: unknown) => this.#fail(error as Error));
  }

  async #confirm(channels: string[]): Promise<void> {
    if (channels.length === 0) return;
    const request = (this.#requests += 1);
    for (const channel of channels) this.#asked.set(channel, request);
    const confirmed = await this.#ask(channels);
    const latest = confirmed.filter((channel) => this.#asked.get(channel) === request);
    for (const channel of latest) if (this.#wanted.has(channel)) this.#live.add(channel);
    this.#leave(latest.filter((channel) => !this.#wanted.has(channel)));
  }

  /** Gives those that the server has taken; all, unless it has only some. */
  async #ask(channels: readonly string[]): Promise<readonly string[]> {
    const { sharded } = this.#options;
    if (sharded === undefined) {
      await this.#timeout.watch(this.#client.subscribe(...channels));
      return channels;
    }
    // Those of two slots cannot be asked for in one command.
    const asked = await Promise.allSettled(
      channels.map((channel) => this.#timeout.watch(this.#client.ssubscribe(channel))),
    );
    for (const answer of asked) {
      if (answer.status === 'rejected' && !isElsewhere(answer.reason as Error)) throw answer.reason;
    }
    // Some may have been taken, and ended again before the last was answered.
    const there = this.#there();
    this.#giveUp(channels.filter((channel) => !there.has(channel)));
    return channels.filter((channel) => there.has(channel));
  }

  /** All that the server ends comes in a few turns, and each tells. */
  #leaveThoseGoneSoon(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    setImmediate(() => {
      this.#leaving = false;
      this.#leaveThoseGone();
    });
  }

  /** The server has ended subscriptions of its own accord: their slot is another server's now. */
  #leaveThoseGone(): void {
    const there = this.#there();
    this.#giveUp([...this.#live].filter((channel) => !there.has(channel)));
  }

  /** What the server has confirmed and not ended; ioredis keeps it, and has no public name for it. */
  #there(): Set<string> {
    const { subscriber } = this.#client['condition'] ?? {};
    return new Set(subscriber ? subscriber.channels('ssubscribe') : []);
  }

  #giveUp(channels: readonly string[]): void {
    if (channels.length === 0) return;
    for (const channel of channels) {
      this.#wanted.delete(channel);
      this.#live.delete(channel);
      this.#asked.delete(channel);
    }
    this.#options.sharded?.elsewhere(channels);
  }

  #leave(channels: string[]): void {
    if (channels.length === 0) return;
    for (const channel of channels) this.#asked.delete(channel);
    const asked =
      this.#options.sharded === undefined
        ? [this.#client.unsubscribe(...channels)]
        : channels.map((channel) => this.#client.sunsubscribe(channel));
    for (const one of asked) this.#timeout.watch(one).catch(ignored);
  }

  async #resubscribe(): Promise<void> {
    try {
      // More may be asked for meanwhile.
      for (;;) {
        const missing = [...this.#wanted].filter((channel) => !this.#live.has(channel));
        if (missing.length === 0) break;
        for (let at = 0; at < missing.length; at += CHUNK) await this.#confirm(missing.slice(at, at + CHUNK));
      }
      // Those that were refused may have been left; one that is heard shows whether anything may be subscribed.
      const [heard] = this.#live;
      if (this.#state === 'refused' && heard !== undefined) await this.#ask([heard]);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.lastError = '';
    this.#state = 'up';
    for (const task of this.#whenUp) task();
  }

  /** Channels could not be subscribed. */
  #fail(error: Error): void {
    if (this.#client.status !== 'ready') return;
    if (!isForbidden(error)) return this.#reconnect(error.message);
    this.lastError = error.message;
    this.#nameMissing();
    this.#state = 'refused';
    this.#retry();
  }

  #reconnect(reason: string): void {
    this.lastError = reason;
    this.#client.disconnect(true);
  }

  #take(channel: Buffer, message: Buffer): void {
    try {
      const envelope = readEnvelope(message);
      if (envelope?.kind === 'probe') this.forgetProbe();
      else if (envelope !== undefined) this.#options.receive(channel.toString(), envelope);
    } catch (error) {
      this.#options.log.error({ err: error }, 'what came from another pod could not be taken');
    }
  }

  /** What is asked for now is subscribed at once. */
  #isThere(): boolean {
    return this.#state === 'up' || this.#state === 'refused';
  }

  #lose(): void {
    this.#state = 'gone';
    if (this.lastError === '') this.lastError = 'the connection was closed';
    this.#timeout.forget();
    this.#live.clear();
    this.#asked.clear();
    this.forgetProbe();
  }

  /** ioredis gives up on some errors of the first connection; a pod never does. */
  #retry(): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    this.#options.clock.after(RETRY_MS, () => {
      this.#isRetrying = false;
      if (this.#stopped) return;
      if (this.#client.status === 'end') this.#client.connect().catch(ignored);
      else if (this.#state === 'refused') void this.#resubscribe();
    });
  }
}
