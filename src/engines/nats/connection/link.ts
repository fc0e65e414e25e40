import { connectionOptions, type NatsAddress, retryMs } from './options.ts';
import { ANSWER_MS } from '../../shared/terms.ts';
import { connect, errors, type Msg, type NatsConnection } from '@nats-io/transport-node';
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
import { Payload } from './payload.ts';
import { Refused } from '../../../core/base/refused.ts';
import { ServerTime } from './server-time.ts';
import type { Trouble } from '../../../core/ports/broker.ts';

/** How often a NATS that is there but does not serve is asked again. */
const REFUSED_MS = 250;
/** How often one that does not permit something is: a pod would come and go all the time. */
const DENIED_MS = 5_000;
/** How often the log is told why it is away. */
const REMINDER_MS = 60_000;
/** While nothing was tried to its end. */
const NOT_YET = 'not connected yet';

export interface LinkOptions {
  readonly address: NatsAddress;
  /** The pod's name in NATS. */
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The servers at the other end, as long as the connection lives. */
export interface Live {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** When each stream was made that this pod uses, as the server says it. */
  readonly madeAt: Map<string, string>;
}

/**
 * The one connection to NATS. It is `up` while NATS answers within two seconds and keeps what it is given; while it is
 * not, every call raises `Unavailable` at once and nothing is kept for later.
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
  /** Set while it is up. */
  #live: Live | undefined;
  /** How often it came up: what is told of an earlier time does not concern this one. */
  #greetings = 0;
  /** Ends the time in which it is up, on a connection that may be good for another. */
  #refuse: () => void = ignored;
  #flush: Promise<void> | undefined;
  #pausing: NodeJS.Timeout | undefined;
  #stopped = false;
  #lastError = NOT_YET;
  /** The reasons that the log has of this time in which it is away; empty before it has any. */
  readonly #told = new Set<string>();
  /** Since when, by `Clock.elapsed`. */
  #toldAt = 0;
  #wasAway = true;
  /** How long a connection that is up no more rests before it is greeted again. */
  #restMs = REFUSED_MS;
  /** How often it went away, since the start. */
  losses = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.time = new ServerTime(options.clock);
    this.#subscriptions = new Subscriptions(options.log, (reason) => this.#lose(reason));
  }

  get up(): boolean {
    return this.#live !== undefined;
  }

  /** What is gone, and why; empty while all is well. What others publish comes on an open connection all the same. */
  troubles(): readonly Trouble[] {
    if (this.up) return [];
    const connection = this.#connection?.isClosed() === false ? this.#connection : undefined;
    const part = connection?.getServer() ?? this.#options.address.servers.join(',');
    const halves = connection === undefined ? (['answers', 'publications'] as const) : (['answers'] as const);
    return halves.map((lost) => ({ part, lost, reason: this.#lastError }));
  }

  /** Milliseconds since 1970 by the server's clock; servers of a cluster are expected to keep time. */
  now(): number {
    return this.time.now();
  }

  /** Runs on every connection before it is `up`; one that raises is run again. To be called before `start`. */
  prepare(task: (live: Live) => Promise<void>): void {
    this.#preparations.push(task);
  }

  /** Calls `task` each time the link has come up. */
  whenUp(task: () => void): void {
    this.#whenUp.push(task);
  }

  /** Connects, now and whenever the connection is lost. */
  start(): void {
    void this.#keep();
  }

  /** What was published is still sent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#live = undefined;
    clearTimeout(this.#pausing);
    const connection = this.#connection;
    if (connection === undefined) return;
    await within(ANSWER_MS, connection.drain()).catch(ignored);
    await connection.close().catch(ignored);
  }

  /** Raises Unavailable, or NatsRefused where JetStream says that it cannot be done. */
  async call<R>(send: (live: Live) => Promise<R>): Promise<R> {
    const live = this.#here();
    const greeting = this.#greetings;
    try {
      return await within(ANSWER_MS, send(live));
    } catch (error) {
      throw this.#judge(error, greeting);
    }
  }

  /** Keeps it in the stream that has the subject. Raises Unavailable, `too_large`, or NatsRefused as `call` does. */
  keep(subject: string, text: string, options?: Partial<JetStreamPublishOptions>): Promise<PubAck> {
    return this.call(async ({ js }) => {
      this.payload.require(Buffer.byteLength(text));
      return js.publish(subject, text, options);
    });
  }

  /** At most once, to whoever listens. Raises Unavailable, `too_large`. */
  publish(subject: string, body: string | Uint8Array): void {
    const { connection } = this.#here();
    this.payload.require(Buffer.byteLength(body));
    try {
      connection.publish(subject, body);
    } catch (error) {
      throw this.#judge(error, this.#greetings);
    }
  }

  /**
   * Takes what is published under the subject, on this connection and all that follow. The answer ends it. What is
   * published once `confirmed` has resolved is heard.
   */
  subscribe(subject: string, take: (message: Msg) => void): () => void {
    return this.#subscriptions.add(subject, take, this.#connection);
  }

  /** Resolves once the server knows everything that was listened for until now. Raises Unavailable. */
  confirmed(): Promise<void> {
    // All of a turn ask once.
    this.#flush ??= new Promise<void>((resolve) => void setImmediate(resolve)).then(() => {
      this.#flush = undefined;
      return this.call(({ connection }) => connection.flush());
    });
    return this.#flush;
  }

  /** For a caller who found out that this connection is good for nothing: all begins anew. */
  reconnect(reason: string): void {
    this.#lose(reason);
    void this.#connection?.close().catch(ignored);
  }

  /** Says that NATS is away, and why. */
  warn(): void {
    this.#wasAway = true;
    this.#told.add(this.#lastError);
    this.#toldAt = this.#options.clock.elapsed();
    this.#options.log.warn({ reason: this.#lastError }, 'NATS is away; this pod goes on by itself');
  }

  #here(): Live {
    if (this.#live === undefined) throw natsUnavailable(this.#lastError);
    return this.#live;
  }

  #judge(error: unknown, greeting: number): Error {
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

  async #keep(): Promise<void> {
    const { address, pod } = this.#options;
    const { servers } = address;
    // Not all pods to the same one.
    let turn = Math.floor(Math.random() * servers.length);
    for (let attempt = 0; !this.#stopped; attempt += 1, turn += 1) {
      try {
        const server = servers[turn % servers.length] ?? '';
        const connection = await connect(connectionOptions(address, server, `crosspod:${pod}`));
        if (await this.#serve(connection)) attempt = 0;
      } catch (error) {
        this.#learn(whyNotLetIn(error, address, this.now()) ?? reasonOf(error));
      }
      if (!this.#stopped) await this.#pause(retryMs(attempt));
    }
  }

  /** Keeps the process alive: a pod that starts has nothing else yet. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => (this.#pausing = setTimeout(resolve, ms)));
  }

  /** Uses a connection until it is closed; whether it was ever up. */
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
      this.#lose(error instanceof Error ? reasonOf(error) : this.#lastError);
    }
    return this.#greetings !== before;
  }

  /** Makes sure that NATS serves; then it is up until it does not any more. */
  async #greet(live: Live, closed: Promise<unknown>): Promise<void> {
    this.#restMs = REFUSED_MS;
    try {
      this.#subscriptions.askAgain(live.connection);
      await within(ANSWER_MS, live.connection.flush());
      this.#subscriptions.requirePermitted();
      await within(ANSWER_MS, this.#denials.requireOver(live.connection));
      for (const prepare of this.#preparations) await prepare(live);
    } catch (error) {
      this.#learn(reasonOf(error));
      if (failureOf(error).kind === 'silent') await live.connection.close().catch(ignored);
      return;
    }
    if (this.#stopped || live.connection.isClosed()) return;
    const refused = new Promise<void>((resolve) => (this.#refuse = resolve));
    this.#live = live;
    this.#greetings += 1;
    this.#lastError = 'the connection was closed';
    this.#wasAway = false;
    this.#told.clear();
    this.#options.log.info({ server: live.connection.info?.server_name }, 'NATS is there');
    for (const task of this.#whenUp) task();
    await Promise.race([closed, refused]);
  }

  /** What the server says of the connection; of a publication that it does not permit nobody else is told. */
  #notice(error: Error): void {
    this.#lastError = reasonOf(error);
    if (!isDenied(error)) return;
    this.#denials.note(error);
    this.#restMs = DENIED_MS;
    this.#lose(this.#lastError);
  }

  /** Why it is not up; for the log too, where this is news to it or it was told a while ago. */
  #learn(reason: string): void {
    this.#lastError = reason;
    if (this.#told.size === 0 || this.#stopped) return;
    const isDue = this.#options.clock.elapsed() - this.#toldAt >= REMINDER_MS;
    if (!this.#told.has(reason) || isDue) this.warn();
  }

  #lose(reason: string): void {
    this.#lastError = reason;
    if (this.#live !== undefined) this.losses += 1;
    this.#live = undefined;
    this.#refuse();
    if (!this.#wasAway && !this.#stopped) this.warn();
  }
}

/** Raises what the library raises where there is no answer. */
async function within<R>(ms: number, answer: Promise<R>): Promise<R> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new errors.TimeoutError()), ms).unref();
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function watch(connection: NatsConnection, tell: (error: Error) => void): Promise<void> {
  for await (const status of connection.status()) if (status.type === 'error') tell(status.error);
}
