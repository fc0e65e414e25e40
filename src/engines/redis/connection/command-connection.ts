import { errorCode, isForbidden, isMoved, redisUnavailable, unavailableOr } from './errors.ts';
import { handshake, type ServerIdentity } from './handshake.ts';
import { type Names, RIGHTS_SCRIPTS } from './rights.ts';
import type { Script, ScriptText } from './script.ts';
import { type Encoded, encoded, ScriptCommand } from './script-command.ts';
import type { ServerOptions } from './server-options.ts';
import { atMostOncePer } from '../../../core/base/at-most.ts';
import { ReconnectingClient } from './reconnecting-client.ts';
import type { Redis } from 'ioredis';
import { ServerClock } from './server-clock.ts';
import type { Shard } from './shard.ts';
import { Unavailable } from '../../shared/unavailable.ts';

/** How soon a Redis that answers but does not serve is asked again. */
const REFUSED_MS = 500;
/** The longest pause, for a server that refuses again soon after each handshake has found everything permitted. */
const MOST_REFUSED_MS = 30_000;
const SOON_MS = 10_000;
/** How often missing rights are logged. */
const NAMED_MS = 60_000;
/** After these errors the address is looked up again: the server is not a master any more. */
const DEMOTED = new Set(['READONLY', 'MASTERDOWN']);
const NOTHING: Names = { keys: [], channels: [] };

/**
 * The connection to one server for commands. It is `up` while the server answers each command within two seconds, takes
 * writes and permits what pods do. While it is not, every call raises `Unavailable` at once, and nothing is queued. All
 * commands of one turn of the event loop leave in one write.
 */
export class CommandConnection implements Shard {
  readonly #options: ServerOptions;
  readonly #client: ReconnectingClient;
  readonly #whenUp: (() => void)[] = [];
  readonly #time: ServerClock;
  readonly #text: (script: Script) => ScriptText;
  readonly #publish: (client: Redis, channel: string, text: string) => Promise<unknown>;
  readonly #logMissing: () => void;
  #server: ServerIdentity | undefined;
  #previous: ServerIdentity | undefined;
  #corked = false;
  /** Tasks of `beforeNext`. */
  #held: (() => void)[] = [];
  #handshake = 0;
  #wasUnavailable = true;
  /** What was refused for a missing right while the connection was up. */
  #refused = NOTHING;
  #upAt = Number.NEGATIVE_INFINITY;
  #pauseMs = REFUSED_MS;
  /** How often it was lost, since the start. */
  losses = 0;

  constructor(options: ServerOptions) {
    const { clock, log, pod, role } = options;
    this.#options = options;
    this.#time = new ServerClock(clock);
    this.#text = role.sharded ? ({ clustered }) => clustered : ({ alone }) => alone;
    this.#publish = role.sharded
      ? (client, channel, text) => client.spublish(channel, text)
      : (client, channel, text) => client.publish(channel, text);
    this.#logMissing = atMostOncePer(NAMED_MS, clock, () =>
      log.warn(
        { reason: this.lastError },
        'Redis refuses commands that every pod needs; grant its user these rights',
      ),
    );
    this.#client = new ReconnectingClient({
      ...options,
      connectionName: `crosspod:${pod}`,
      ready: () => void this.#shakeHands(),
      closed: () => this.#lose(),
      timedOut: () => this.#giveUp('a command was not answered for two seconds'),
    });
  }

  get up(): boolean {
    return this.#server !== undefined;
  }

  get run(): string {
    return this.#here().run;
  }

  get epoch(): string {
    return this.#options.role.data() + this.run;
  }

  get connection(): string {
    return String(this.#handshake);
  }

  /** Why it is unavailable; empty while it is up. */
  get lastError(): string {
    return this.#client.lastError;
  }

  now(): number {
    return this.#time.now();
  }

  /** Calls `task` each time the connection has come up. */
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

  call(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.invoke(script, keys, encoded([...keys, ...args]), (outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }

  invoke(script: Script, keys: readonly string[], args: Encoded, settle: (outcome: unknown) => void): void {
    if (this.#server === undefined) {
      const unavailable = redisUnavailable(this.lastError);
      queueMicrotask(() => settle(unavailable));
      return;
    }
    this.#release();
    this.#cork();
    const { redis } = this.#client;
    this.#client.timeout.sent();
    const command = new ScriptCommand(this.#text(script), keys.length, args);
    redis.sendCommand(command);
    void command.promise.then(
      (reply) => this.#answered(reply, settle),
      (error: Error) => this.#answered(this.judge(error, keys), settle),
    );
  }

  beforeNext(task: () => void): void {
    this.#held.push(task);
    this.#cork();
  }

  judge(error: Error, keys: readonly string[]): Error {
    return this.#judge(error, { keys, channels: [] });
  }

  /** Also while the connection is down: each task gets its error. */
  #release(): void {
    while (this.#held.length > 0) {
      const held = this.#held;
      this.#held = [];
      for (const task of held) task();
    }
  }

  #answered(outcome: unknown, settle: (outcome: unknown) => void): void {
    this.#client.timeout.answered();
    settle(outcome);
  }

  command<Reply>(send: (client: Redis) => Promise<Reply>, keys: readonly string[] = []): Promise<Reply> {
    return this.#command(send, { keys, channels: [] });
  }

  async publish(channel: string, text: string): Promise<void> {
    await this.#command((client) => this.#publish(client, channel, text), { keys: [], channels: [channel] });
  }

  /** Asks the server for its time, to notice a clock that was set. Raises as `call` does. */
  async askTime(): Promise<void> {
    const learn = this.#learner();
    learn(await this.command((client) => client.time()));
  }

  late(): Unavailable {
    this.#giveUp('commands arrive too late');
    return redisUnavailable(this.lastError);
  }

  async #command<Reply>(send: (client: Redis) => Promise<Reply>, names: Names): Promise<Reply> {
    this.#here();
    this.#release();
    this.#cork();
    this.#client.timeout.sent();
    try {
      return await send(this.#client.redis);
    } catch (error) {
      throw this.#judge(error as Error, names);
    } finally {
      this.#client.timeout.answered();
    }
  }

  #here(): ServerIdentity {
    if (this.#server === undefined) throw redisUnavailable(this.lastError);
    return this.#server;
  }

  /** Holds back what is written until the turn ends. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const { stream } = this.#client.redis;
    stream.cork();
    setImmediate(() => {
      this.#release();
      this.#corked = false;
      stream.uncork();
    });
  }

  #judge(error: Error, names: Names): Error {
    const judged = unavailableOr(error);
    if (isMoved(error)) this.#options.role.moved(error.message, names.keys);
    else if (judged instanceof Unavailable && error.name === 'ReplyError') this.#refuse(error, names);
    return judged;
  }

  /** Until it has succeeded the connection takes no other command. */
  async #shakeHands(): Promise<void> {
    const { redis, timeout } = this.#client;
    const { keys, pod, role, scripts, nextConnection } = this.#options;
    const current = nextConnection();
    this.#handshake = current;
    try {
      const server = await handshake(redis, {
        role,
        scripts: [...RIGHTS_SCRIPTS, ...scripts],
        text: this.#text,
        publish: this.#publish,
        learn: this.#learner(),
        watch: (step) => timeout.watch(step),
        samples: keys.samples(pod, role.tag()),
        refused: this.#refused,
        previous: this.#previous,
      });
      if (current !== this.#handshake) return;
      if (this.#previous === undefined) this.#warnOfEviction(server);
      this.#server = server;
      this.#previous = server;
    } catch (error) {
      if (current !== this.#handshake || redis.status !== 'ready') return;
      this.#fail(error as Error, REFUSED_MS);
      if (isForbidden(error as Error)) this.#logMissing();
      return;
    }
    this.#comeUp(this.#server);
  }

  /** For an answer to TIME that is asked for now. */
  #learner(): (time: readonly (string | number)[]) => number {
    const askedAt = this.#options.clock.elapsed();
    return (time) => {
      this.#time.learn(time, askedAt);
      return this.now();
    };
  }

  #warnOfEviction({ eviction: policy }: ServerIdentity): void {
    if (policy === undefined) return;
    this.#options.log.warn(
      { policy },
      'Redis evicts keys when its memory is full, and with them messages and presence; set its maxmemory-policy to noeviction',
    );
  }

  #comeUp({ run }: ServerIdentity): void {
    this.#client.lastError = '';
    this.#refused = NOTHING;
    this.#upAt = this.#options.clock.elapsed();
    this.#wasUnavailable = false;
    this.#options.log.info({ run }, 'Redis is available');
    for (const task of this.#whenUp) task();
  }

  /** The server answered, but refused the command. */
  #refuse(error: Error, names: Names): void {
    // Other commands in flight are refused as well.
    if (!this.up) return;
    let pauseMs = REFUSED_MS;
    if (isForbidden(error)) {
      this.#refused = names;
      const isSoon = this.#options.clock.elapsed() < this.#upAt + SOON_MS;
      this.#pauseMs = isSoon ? Math.min(this.#pauseMs * 2, MOST_REFUSED_MS) : REFUSED_MS;
      pauseMs = this.#pauseMs;
    }
    this.#fail(error, pauseMs);
  }

  #fail(error: Error, pauseMs: number): void {
    this.#client.lastError = error.message;
    this.#lose();
    if (DEMOTED.has(errorCode(error) ?? '')) this.#client.reconnect();
    else this.#client.retry(pauseMs, () => void this.#shakeHands());
  }

  #giveUp(reason: string): void {
    this.#client.lastError = reason;
    this.#lose();
    this.#client.reconnect();
  }

  #lose(): void {
    if (this.up && !this.#client.stopped) this.losses += 1;
    this.#server = undefined;
    if (this.lastError === '') this.#client.lastError = 'the connection was closed';
    if (!this.#wasUnavailable) this.warn();
  }

  /** Logs that Redis is unavailable, and why. */
  warn(): void {
    if (this.#client.stopped) return;
    this.#wasUnavailable = true;
    // Only the text: an error of ioredis carries the command, and with it a password.
    this.#options.log.warn({ reason: this.lastError }, 'Redis is unavailable; this pod continues without it');
  }
}
