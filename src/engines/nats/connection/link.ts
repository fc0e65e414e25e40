import { connectionOptions, type NatsAddress, retryMs } from './options.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import {
  jetstream,
  type JetStreamClient,
  jetstreamManager,
  type JetStreamManager,
  type JetStreamPublishOptions,
  type PubAck,
} from '@nats-io/jetstream';
import { isDenied, natsUnavailable, reasonOf, refusalOf, failureOf } from './answers.ts';
import { whyNotLetIn } from './credentials.ts';
import { ignored } from '../../shared/ignored.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { Denials } from './denials.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Log } from '../../../core/ports/log.ts';
import { Outage } from './outage.ts';
import { Payload } from './payload.ts';
import { Refused } from '../../../core/base/refused.ts';
import { ServerTime } from './server-time.ts';
import type { Trouble } from '../../../core/ports/broker.ts';
import { within } from './within.ts';

/** After so long a server that answered, but did not serve, is greeted again. */
const REFUSED_MS = 250;
/** The same for one that denied a right. Greeted more often, the pod would be up and down all the time. */
const DENIED_MS = 5_000;

export interface LinkOptions {
  readonly address: NatsAddress;
  /** The pod's name in NATS. */
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** One connection, as long as it lives. */
export interface Live {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** When each stream that this pod uses was created, as the server says. */
  readonly madeAt: Map<string, string>;
}

/**
 * The connection to NATS, which reconnects by itself. It is `up` while NATS answers within two seconds and stores what
 * it gets. While it is not up, every call raises `Unavailable` at once; nothing is queued.
 */
export class NatsLink {
  readonly time: ServerTime;
  readonly payload = new Payload();
  readonly #options: LinkOptions;
  readonly #whenUp: (() => void)[] = [];
  readonly #preparations: ((live: Live) => Promise<void>)[] = [];
  readonly #subscriptions: Subscriptions;
  readonly #denials = new Denials();
  #connection: NatsConnection | undefined;
  /** Set while the link is up. */
  #live: Live | undefined;
  /** How often it came up. The failure of a call made before the last time says nothing about the link now. */
  #greetings = 0;
  /** Ends `up` without closing the connection, which is then greeted again. */
  #refuse: () => void = ignored;
  #flush: Promise<void> | undefined;
  #pausing: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #outage: Outage;
  /** The pause before an open connection that is not up is greeted again. */
  #restMs = REFUSED_MS;
  /** How often the link was lost, since the start. */
  losses = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.time = new ServerTime(options.clock);
    this.#outage = new Outage(options.clock, options.log);
    this.#subscriptions = new Subscriptions(options.log, (reason) => this.#lose(reason));
  }

  get up(): boolean {
    return this.#live !== undefined;
  }

  /** Empty while the link is up. An open connection receives publications although it does not answer. */
  troubles(): readonly Trouble[] {
    if (this.up) return [];
    const connection = this.#connection?.isClosed() === false ? this.#connection : undefined;
    const part = connection?.getServer() ?? this.#options.address.servers.join(',');
    const halves = connection === undefined ? (['answers', 'publications'] as const) : (['answers'] as const);
    return halves.map((lost) => ({ part, lost, reason: this.#outage.reason }));
  }

  /** Milliseconds since 1970 by the server's clock. The servers of a cluster must have synchronized clocks. */
  now(): number {
    return this.time.now();
  }

  /** Runs `task` on every connection before the link is up, and again if it raises. Call it before `start`. */
  prepare(task: (live: Live) => Promise<void>): void {
    this.#preparations.push(task);
  }

  /** Calls `task` each time the link comes up. */
  whenUp(task: () => void): void {
    this.#whenUp.push(task);
  }

  start(): void {
    void this.#stayConnected();
  }

  /** Sends what was published, then disconnects. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#outage.silence();
    this.#live = undefined;
    clearTimeout(this.#pausing);
    const connection = this.#connection;
    if (connection === undefined) return;
    await within(ANSWER_MS, connection.drain()).catch(ignored);
    await connection.close().catch(ignored);
  }

  /** Raises Unavailable, or NatsRefused if JetStream refuses the request. */
  async call<R>(send: (live: Live) => Promise<R>): Promise<R> {
    const live = this.#here();
    const greeting = this.#greetings;
    try {
      return await within(ANSWER_MS, send(live));
    } catch (error) {
      throw this.#classified(error, greeting);
    }
  }

  /** Stores a message in the stream of the subject. Raises Unavailable, `too_large`, or NatsRefused as `call` does. */
  store(subject: string, text: string, options?: Partial<JetStreamPublishOptions>): Promise<PubAck> {
    return this.call(async ({ js }) => {
      this.payload.require(Buffer.byteLength(text));
      return js.publish(subject, text, options);
    });
  }

  /** At most once, to the subscribers. Raises Unavailable, `too_large`. */
  publish(subject: string, body: string | Uint8Array): void {
    const { connection } = this.#here();
    this.payload.require(Buffer.byteLength(body));
    try {
      connection.publish(subject, body);
    } catch (error) {
      throw this.#classified(error, this.#greetings);
    }
  }

  /**
   * Subscribes on this connection and on all later ones; the returned function unsubscribes. What is published after
   * `confirmed` has resolved is received.
   */
  subscribe(subject: string, take: (message: Msg) => void): () => void {
    return this.#subscriptions.add(subject, take, this.#connection);
  }

  /** Resolves once the server knows all subscriptions made until now. Raises Unavailable. */
  confirmed(): Promise<void> {
    // All callers of one turn share one round trip.
    this.#flush ??= new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      this.#flush = undefined;
      return this.call(({ connection }) => connection.flush());
    });
    return this.#flush;
  }

  /** For a caller that found this connection useless: closes it and makes another. */
  reconnect(reason: string): void {
    this.#lose(reason);
    void this.#connection?.close().catch(ignored);
  }

  /** Logs that NATS is unavailable, and why. */
  warn(): void {
    this.#outage.warn();
  }

  #here(): Live {
    if (this.#live === undefined) throw natsUnavailable(this.#outage.reason);
    return this.#live;
  }

  /** The error to raise to the caller. A failure of the connection also ends `up`. */
  #classified(error: unknown, greeting: number): Error {
    if (error instanceof Refused) return error;
    const { kind, reason } = failureOf(error);
    if (kind === 'other') return error as Error;
    if (kind === 'busy') return natsUnavailable(reason);
    if (kind === 'refused') return refusalOf((error as { code: number }).code, reason);
    if (greeting === this.#greetings && this.up) {
      if (kind === 'silent') this.reconnect(reason);
      else this.#lose(reason);
    }
    return natsUnavailable(reason);
  }

  async #stayConnected(): Promise<void> {
    const { address, pod } = this.#options;
    const { servers } = address;
    // A random first server spreads the pods over all servers.
    let turn = Math.floor(Math.random() * servers.length);
    for (let attempt = 0; !this.#stopped; attempt += 1, turn += 1) {
      try {
        const server = servers[turn % servers.length] ?? '';
        const connection = await connect(connectionOptions(address, server, `crosspod:${pod}`));
        if (await this.#serve(connection)) attempt = 0;
      } catch (error) {
        this.#outage.goesOn(whyNotLetIn(error, address, this.now()) ?? reasonOf(error));
      }
      if (!this.#stopped) await this.#pause(retryMs(attempt));
    }
  }

  /** Its timer keeps the process alive: a pod that starts has no other handle yet. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => (this.#pausing = setTimeout(resolve, ms)));
  }

  /** Uses a connection until it is closed. Resolves to whether the link was ever up. */
  async #serve(connection: NatsConnection): Promise<boolean> {
    const before = this.#greetings;
    const closed = connection.closed();
    void watch(connection, (error) => this.#notice(error));
    this.#connection = connection;
    this.payload.begin(() => connection.info?.max_payload);
    this.#subscriptions.begin(connection);
    try {
      const live = {
        connection,
        js: jetstream(connection, { timeout: ANSWER_MS }),
        jsm: await jetstreamManager(connection, { timeout: ANSWER_MS, checkAPI: false }),
        madeAt: new Map<string, string>(),
      };
      while (!this.#stopped && !connection.isClosed()) {
        await this.#greet(live, closed);
        await Promise.race([closed, this.#pause(this.#restMs)]);
      }
    } finally {
      this.#connection = undefined;
      await connection.close().catch(ignored);
      const error = await closed;
      this.#lose(error instanceof Error ? reasonOf(error) : this.#outage.reason);
    }
    return this.#greetings !== before;
  }

  /** Checks that NATS serves this pod. If so, the link is up until this resolves. */
  async #greet(live: Live, closed: Promise<unknown>): Promise<void> {
    this.#restMs = REFUSED_MS;
    try {
      this.#subscriptions.askAgain(live.connection);
      await within(ANSWER_MS, live.connection.flush());
      this.#subscriptions.requirePermitted();
      await within(ANSWER_MS, this.#denials.requireOver(live.connection));
      for (const prepare of this.#preparations) await prepare(live);
    } catch (error) {
      this.#outage.goesOn(reasonOf(error));
      if (failureOf(error).kind === 'silent') await live.connection.close().catch(ignored);
      return;
    }
    if (this.#stopped || live.connection.isClosed()) return;
    const refused = new Promise<void>((resolve) => (this.#refuse = resolve));
    this.#live = live;
    this.#greetings += 1;
    this.#outage.end();
    this.#options.log.info({ server: live.connection.info?.server_name }, 'connected to NATS');
    for (const task of this.#whenUp) task();
    await Promise.race([closed, refused]);
  }

  /** An error that the server reports for the connection: the only sign that it denied a publication. */
  #notice(error: Error): void {
    const reason = reasonOf(error);
    this.#outage.reason = reason;
    if (!isDenied(error)) return;
    this.#denials.note(error);
    this.#restMs = DENIED_MS;
    this.#lose(reason);
  }

  #lose(reason: string): void {
    if (this.#live !== undefined) this.losses += 1;
    this.#live = undefined;
    this.#refuse();
    this.#outage.begin(reason);
  }
}

async function watch(connection: NatsConnection, tell: (error: Error) => void): Promise<void> {
  for await (const status of connection.status()) if (status.type === 'error') tell(status.error);
}
