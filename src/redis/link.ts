import { Away, ignored } from '../pods/away.ts';
import { answerCode, awayOr, isElsewhere, redisAway } from './answers.ts';
import { clientOptions, type RedisAddress } from './options.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../core/ports/log.ts';
import type { Script, ScriptText } from './script.ts';
import { Redis } from 'ioredis';
import type { Way } from './way.ts';

/** How often a Redis that is there but takes no writes is asked again. */
const REFUSED_MS = 500;
/** How much of a server's run id goes into positions. */
const RUN_LENGTH = 6;
const LEAST_VERSION = 7;
/** Errors after which the address is looked up anew: this is no master any more. */
const DEMOTED = new Set(['READONLY', 'MASTERDOWN']);

/** What differs between one server and those of a Cluster. */
export interface LinkRole {
  /**
   * Raises an error unless this run of the server takes writes; `now` is by its clock, `before` the run that this pod
   * knew there before this one, or empty.
   */
  prove(client: Redis, run: string, now: number, before: string): Promise<void>;
  /** Which form of a script is called. */
  text(script: Script): ScriptText;
  publish(client: Redis, channel: string, text: string): Promise<unknown>;
  /** The name of the data where it goes before the run into positions. */
  data(): string;
  /** Another server has, or will have, what was asked for; `keys` are those of a script. */
  elsewhere(reason: string, keys: readonly string[]): void;
}

export interface LinkOptions {
  readonly address: RedisAddress;
  /** The pod's name in Redis. */
  readonly pod: string;
  readonly scripts: readonly Script[];
  /** Another number for every connection of the pod, to whichever server. */
  readonly nextConnection: () => number;
  readonly role: LinkRole;
  readonly clock: Clock;
  readonly log: Log;
}

/** The server at the other end, as long as the connection lives. */
interface Server {
  /** Names this run of the server: after a restart or a failover it is another one. */
  readonly run: string;
  /** Its clock less ours, in milliseconds. */
  readonly offset: number;
  /** What it calls this connection. */
  readonly connection: number;
}

/**
 * The one connection to a server for commands. It is `up` while the server answers within two seconds and takes writes;
 * while it is not, every call raises `Away` at once and nothing is kept for later. All that is asked in one turn of the
 * event loop leaves in one write.
 */
export class Link implements Way {
  readonly #client: Redis;
  readonly #options: LinkOptions;
  readonly #whenUp: (() => void)[] = [];
  #server: Server | undefined;
  /** The last one there was. */
  #previous: Server | undefined;
  #corked = false;
  #greeting = 0;
  #stopped = false;
  #lastError = 'not connected yet';
  #wasAway = true;
  /** How often it went away, since the start. */
  losses = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#client = new Redis(clientOptions(options.address, `crosspod:${options.pod}`));
    this.#client.on('error', (error: Error) => (this.#lastError = error.message));
    this.#client.on('ready', () => void this.#greet());
    this.#client.on('close', () => this.#lose());
    this.#client.on('connect', () => (this.#lastError = 'the connection was closed'));
    // ioredis gives up on some errors of the first connection; a pod never does.
    this.#client.on('end', () => this.#retry(() => void this.#client.connect().catch(ignored)));
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
    return this.#options.clock.now() + (this.#server?.offset ?? 0);
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
      throw this.#judge(error as Error, keys);
    }
  }

  async command<Reply>(
    send: (client: Redis) => Promise<Reply>,
    keys: readonly string[] = [],
  ): Promise<Reply> {
    this.#here();
    this.#cork();
    try {
      return await send(this.#client);
    } catch (error) {
      throw this.#judge(error as Error, keys);
    }
  }

  async publish(channel: string, text: string): Promise<void> {
    await this.command((client) => this.#options.role.publish(client, channel, text));
  }

  late(): Away {
    this.#lastError = 'commands arrive too late';
    this.#client.disconnect(true);
    return redisAway(this.#lastError);
  }

  #here(): Server {
    if (this.#server === undefined) throw redisAway(this.#lastError);
    return this.#server;
  }

  /** Holds back what is written until the turn ends. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    const { stream } = this.#client;
    stream.cork();
    setImmediate(() => {
      this.#corked = false;
      stream.uncork();
    });
  }

  #judge(error: Error, keys: readonly string[]): Error {
    const judged = awayOr(error);
    if (isElsewhere(error)) this.#options.role.elsewhere(error.message, keys);
    else if (judged instanceof Away && error.name === 'ReplyError') this.#refused(error);
    return judged;
  }

  /** Learns who the server is; until that has worked nobody else asks it anything. */
  async #greet(): Promise<void> {
    const client = this.#client;
    const { clock, scripts, role } = this.#options;
    const greeting = this.#options.nextConnection();
    this.#greeting = greeting;
    try {
      const [info, time, connection] = await Promise.all([
        client.info('server'),
        client.time(),
        // Not every ACL permits it.
        client.client('ID').catch(() => 0),
        ...scripts.map((script) => client.script('LOAD', role.text(script).lua)),
      ]);
      const offset = Math.round(Number(time[0]) * 1_000 + Number(time[1]) / 1_000 - clock.now());
      const run = /run_id:(\w+)/.exec(info)?.[1]?.slice(0, RUN_LENGTH) ?? '';
      requireVersion(info);
      await role.prove(client, run, clock.now() + offset, this.#previous?.run ?? '');
      const server = { run, offset, connection };
      await this.#cutOff(server);
      if (greeting !== this.#greeting) return;
      this.#server = server;
      this.#previous = server;
    } catch (error) {
      if (greeting === this.#greeting && client.status === 'ready') this.#refused(error as Error);
      return;
    }
    this.#wasAway = false;
    this.#options.log.info({ run: this.#server.run }, 'Redis is there');
    for (const task of this.#whenUp) task();
  }

  /** What is still on its way on the connection before this one must not arrive after it was sent again. */
  async #cutOff({ run, connection }: Server): Promise<void> {
    const previous = this.#previous;
    if (previous?.run !== run || previous.connection === connection) return;
    // It is gone already, or an ACL forbids it: then only what is late by the clock is not taken (append.lua).
    await this.#client.client('KILL', 'ID', previous.connection).catch(ignored);
  }

  /** The server is there and does not serve. */
  #refused(error: Error): void {
    this.#lastError = error.message;
    this.#lose();
    if (DEMOTED.has(answerCode(error) ?? '')) this.#client.disconnect(true);
    else this.#retry(() => void this.#greet());
  }

  #retry(task: () => void): void {
    this.#options.clock.after(REFUSED_MS, () => {
      if (!this.#stopped && (this.#client.status === 'ready' || this.#client.status === 'end')) task();
    });
  }

  #lose(): void {
    if (this.#server !== undefined && !this.#stopped) this.losses += 1;
    this.#server = undefined;
    if (!this.#wasAway) this.warn();
  }

  /** Says that Redis is away, and why. */
  warn(): void {
    if (this.#stopped) return;
    this.#wasAway = true;
    // Only the text: an error of ioredis carries the command, and with it a password.
    this.#options.log.warn({ reason: this.#lastError }, 'Redis is away; this pod goes on by itself');
  }
}

/** Older ones neither tell errors of scripts apart nor fence them (docs/operations.md). */
function requireVersion(info: string): void {
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? '';
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new Error(`Redis ${LEAST_VERSION} or newer is needed, this is ${version}`);
  }
}
