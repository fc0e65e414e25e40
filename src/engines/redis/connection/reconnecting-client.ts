import { clientOptions, type RedisAddress } from './options.ts';
import { AnswerTimeout } from './answer-timeout.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import { ignored } from '../../shared/ignored.ts';
import type { LookupFunction } from 'node:net';
import { Redis } from 'ioredis';

/** How soon a connection that ioredis has given up is opened again. */
const RECONNECT_MS = 500;

export interface ReconnectingClientOptions {
  readonly address: RedisAddress;
  /** What the server calls the connection. */
  readonly connectionName: string;
  readonly lookup: LookupFunction;
  readonly clock: Clock;
  /** The connection takes commands. */
  readonly ready: () => void;
  /** The connection is closed. */
  readonly closed: () => void;
  /** A command was not answered in time. */
  readonly timedOut: () => void;
}

/** A client of ioredis that never gives up reconnecting. */
export class ReconnectingClient {
  readonly redis: Redis;
  readonly timeout: AnswerTimeout;
  /** Why it does not serve; its owner empties it while it does. */
  lastError = 'not connected yet';
  readonly #clock: Clock;
  #isDropping = false;
  #isRetrying = false;
  #stopped = false;

  constructor({
    address,
    connectionName,
    lookup,
    clock,
    ready,
    closed,
    timedOut,
  }: ReconnectingClientOptions) {
    this.#clock = clock;
    this.timeout = new AnswerTimeout(clock, timedOut);
    this.redis = new Redis(clientOptions(address, connectionName, lookup));
    this.redis.on('error', (error: Error) => (this.lastError = error.message));
    this.redis.on('connect', () => {
      this.#isDropping = false;
      // Until it is ready: a server that accepts the connection may still not answer.
      this.timeout.sent();
    });
    this.redis.on('ready', () => {
      this.timeout.answered();
      ready();
    });
    this.redis.on('close', () => {
      this.#isDropping = false;
      this.timeout.reset();
      closed();
    });
    // ioredis gives up after some errors of the first connection.
    this.redis.on('end', () => this.retry(RECONNECT_MS, ignored));
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  start(): void {
    this.redis.connect().catch(ignored);
  }

  stop(): void {
    this.#stopped = true;
    this.redis.disconnect();
  }

  /** Drops the connection and opens another. Once at a time: with each call ioredis adds a listener for the close. */
  reconnect(): void {
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.redis.disconnect(true);
  }

  /** Calls `task` in `ms` if the connection takes commands then; ignored while another retry is due. */
  retry(ms: number, task: () => void): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    this.#clock.after(ms, () => {
      this.#isRetrying = false;
      if (this.#stopped) return;
      if (this.redis.status === 'end') this.start();
      else if (this.redis.status === 'ready') task();
    });
  }
}
