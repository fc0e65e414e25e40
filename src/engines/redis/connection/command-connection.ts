import { ignored } from '../../shared/ignored.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { answerCode, unavailableOr, isElsewhere, isForbidden, redisUnavailable } from './errors.ts';
import { clientOptions, type RedisAddress } from './options.ts';
import { handshake, type ServerRole, type ServerIdentity } from './handshake.ts';
import { atMostOncePer } from '../../../core/base/at-most.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import { type Names, RIGHTS_SCRIPTS } from './rights.ts';
import { AnswerTimeout } from './answer-timeout.ts';
import type { Script } from './script.ts';
import { Redis } from 'ioredis';
import { ServerClock } from './server-clock.ts';
import type { Shard } from './shard.ts';

/** How often a Redis that is there but does not serve is asked again. */
const REFUSED_MS = 500;
/** The longest pause, for one that refuses again and again soon after it had been found to permit everything. */
const MOST_REFUSED_MS = 30_000;
const SOON_MS = 10_000;
/** How often missing rights are named. */
const NAMED_MS = 60_000;
/** Errors after which the address is looked up anew: this is no master any more. */
const DEMOTED = new Set(['READONLY', 'MASTERDOWN']);
const NOTHING: Names = { keys: [], channels: [] };

export interface CommandConnectionOptions {
  readonly address: RedisAddress;
  /** The pod's name in Redis. */
  readonly pod: string;
  readonly scripts: readonly Script[];
  /** Another number for every connection of the pod, to whichever server. */
  readonly nextConnection: () => number;
  readonly role: ServerRole;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The one connection to a server for commands. It is `up` while the server answers each within two seconds, takes writes
 * and permits what pods do; while it is not, every call raises `Unavailable` at once and nothing is kept for later. All that is
 * asked in one turn of the event loop leaves in one write.
 */
export class CommandConnection implements Shard {
  readonly #client: Redis;
  readonly #options: CommandConnectionOptions;
  readonly #whenUp: (() => void)[] = [];
  readonly #time: ServerClock;
  readonly #timeout: AnswerTimeout;
  readonly #nameMissing: () => void;
  #server: ServerIdentity | undefined;
  /** The last one there was. */
  #previous: ServerIdentity | undefined;
  #corked = false;
  #greeting = 0;
  #stopped = false;
  #wasAway = true;
  #isRetrying = false;
  /** What was refused for want of a right while the link was up. */
  #refused = NOTHING;
  #isDropping = false;
  #upAt = Number.NEGATIVE_INFINITY;
  #pauseMs = REFUSED_MS;
  /** Why it is away, while it is. */
  lastError = 'not connected yet';
  /** How often it went away, since the start. */
  losses = 0;

  constructor(options: CommandConnectionOptions) {
    const { address, clock, log, pod } = options;
    this.#options = options;
    this.#time = new ServerClock(clock);
    this.#timeout = new AnswerTimeout(clock, () =>
      this.#giveUp('a command was not answered for two seconds'),
    );
    this.#nameMissing = atMostOncePer(NAMED_MS, clock, () =>
      log.warn(
        { reason: this.lastError },
        'Redis refuses what every pod must do: give its user these rights',
      ),
    );
    this.#client = new Redis(clientOptions(address, `crosspod:${pod}`, clock));
    this.#client.on('error', (error: Error) => (this.lastError = error.message));
    this.#client.on('connect', () => {
      this.#isDropping = false;
      this.#timeout.sent();
    });
    this.#client.on('ready', () => {
      this.#timeout.answered();
      void this.#handshake();
    });
    this.#client.on('close', () => {
      this.#isDropping = false;
      this.#timeout.forget();
      this.#lose();
    });
    // ioredis gives up on some errors of the first connection; a pod never does.
    this.#client.on('end', () => this.#retry(REFUSED_MS, () => void this.#client.connect().catch(ignored)));
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
    return String(this.#greeting);
  }

  now(): number {
    return this.#time.now();
  }

  /** Calls `task` each time the link has come up. */
  whenUp(task: () => void): void {
    this.#whenUp.push(task);
  }

  /** Connects, now and whenever the connection is lost. */
  start(): void {
    this.#client.connect().catch(ignored);
  }

  stop(): void {
    this.#stopped = true;
    this.#lose();
    this.#client.disconnect();
  }

  async call(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    this.#here();
    this.#cork();
    try {
      return await this.#client.evalsha(this.#options.role.text(script).sha, keys.length, ...keys, ...args);
    } catch (error) {
      throw this.#judge(error as Error, { keys, channels: [] });
    } finally {
      this.#timeout.answered();
    }
  }

  command<Reply>(send: (client: Redis) => Promise<Reply>, keys: readonly string[] = []): Promise<Reply> {
    return this.#command(send, { keys, channels: [] });
  }

  async publish(channel: string, text: string): Promise<void> {
    const { role } = this.#options;
    await this.#command((client) => role.publish(client, channel, text), { keys: [], channels: [channel] });
  }

  /** Asks the server for its time, so that a clock that was set is noticed. Raises as `call` does. */
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
    this.#cork();
    try {
      return await send(this.#client);
    } catch (error) {
      throw this.#judge(error as Error, names);
    } finally {
      this.#timeout.answered();
    }
  }

  #here(): ServerIdentity {
    if (this.#server === undefined) throw redisUnavailable(this.lastError);
    return this.#server;
  }

  /** A command is about to be sent: what is written is held back until the turn ends. */
  #cork(): void {
    this.#timeout.sent();
    if (this.#corked) return;
    this.#corked = true;
    const { stream } = this.#client;
    stream.cork();
    setImmediate(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  #judge(error: Error, names: Names): Error {
    const judged = unavailableOr(error);
    if (isElsewhere(error)) this.#options.role.elsewhere(error.message, names.keys);
    else if (judged instanceof Unavailable && error.name === 'ReplyError') this.#refuse(error, names);
    return judged;
  }

  /** Learns who the server is; until that has worked nobody else asks it anything. */
  async #handshake(): Promise<void> {
    const client = this.#client;
    const { role, scripts, nextConnection } = this.#options;
    const greeting = nextConnection();
    this.#greeting = greeting;
    try {
      const server = await handshake(client, {
        role,
        scripts: [...RIGHTS_SCRIPTS, ...scripts],
        learn: this.#learner(),
        asking: (step) => this.#timeout.watch(step),
        refused: this.#refused,
        previous: this.#previous,
      });
      if (greeting !== this.#greeting) return;
      if (this.#previous === undefined) this.#warnOfEviction(server);
      this.#server = server;
      this.#previous = server;
    } catch (error) {
      if (greeting !== this.#greeting || client.status !== 'ready') return;
      this.#fail(error as Error, REFUSED_MS);
      if (isForbidden(error as Error)) this.#nameMissing();
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
      'Redis throws keys away when its memory is full, and messages and presence with them; set its maxmemory-policy to noeviction',
    );
  }

  #comeUp({ run }: ServerIdentity): void {
    this.lastError = '';
    this.#refused = NOTHING;
    this.#upAt = this.#options.clock.elapsed();
    this.#wasAway = false;
    this.#options.log.info({ run }, 'Redis is there');
    for (const task of this.#whenUp) task();
  }

  /** The server is there and does not do what it is asked. */
  #refuse(error: Error, names: Names): void {
    // What was asked in the same moment is refused too.
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
    this.lastError = error.message;
    this.#lose();
    if (DEMOTED.has(answerCode(error) ?? '')) this.#drop();
    else this.#retry(pauseMs, () => void this.#handshake());
  }

  #giveUp(reason: string): void {
    this.lastError = reason;
    this.#lose();
    this.#drop();
  }

  /** Once, however many commands come to the same end: with each call ioredis listens for the close once more. */
  #drop(): void {
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#client.disconnect(true);
  }

  #retry(ms: number, task: () => void): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    this.#options.clock.after(ms, () => {
      this.#isRetrying = false;
      if (!this.#stopped && (this.#client.status === 'ready' || this.#client.status === 'end')) task();
    });
  }

  #lose(): void {
    if (this.up && !this.#stopped) this.losses += 1;
    this.#server = undefined;
    if (this.lastError === '') this.lastError = 'the connection was closed';
    if (!this.#wasAway) this.warn();
  }

  /** Says that Redis is away, and why. */
  warn(): void {
    if (this.#stopped) return;
    this.#wasAway = true;
    // Only the text: an error of ioredis carries the command, and with it a password.
    this.#options.log.warn({ reason: this.lastError }, 'Redis is away; this pod goes on by itself');
  }
}
