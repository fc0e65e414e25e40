import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { PASSWORDS, type RedisPod } from './pod.ts';

const LIST = 'written';
const PAUSE_MS = 10;

interface Accepted {
  readonly pod: RedisPod;
  readonly value: string;
  /** A replica had it, too, before the writer was told. */
  readonly isSafe: boolean;
}

/**
 * Writes to every pod all the time, whatever it says it is. So it sees who takes writes, and in which order, and
 * knows which of them must still be there in the end.
 */
export class Writer {
  readonly #accepted: Accepted[] = [];
  readonly #ending = new AbortController();
  readonly #loops: Promise<void>[];

  constructor(pods: readonly RedisPod[]) {
    this.#loops = pods.map((pod) => this.#write(pod));
    onTestFinished(() => this.stop().then(() => undefined));
  }

  /** How many writes were taken so far, by that pod or by all. */
  count(pod?: RedisPod): number {
    return this.#accepted.filter((write) => pod === undefined || write.pod === pod).length;
  }

  /** Ends it. */
  async stop(): Promise<this> {
    this.#ending.abort();
    await Promise.all(this.#loops);
    return this;
  }

  /** Which pods took writes, in order; one that took some, then another, then again the first, is there twice. */
  masters(): string[] {
    const names = this.#accepted.map(({ pod }) => pod.redis.name);
    return names.filter((name, index) => name !== names[index - 1]);
  }

  /** The writes that a replica had and this pod does not have; or all that were taken and it does not have. */
  async lost(pod: RedisPod, which: 'safe' | 'all' = 'safe'): Promise<string[]> {
    const there = new Set((await pod.redis.command('LRANGE', LIST, '0', '-1')) as string[]);
    const due = this.#accepted.filter(({ isSafe }) => isSafe || which === 'all');
    return due.map(({ value }) => value).filter((value) => !there.has(value));
  }

  /** How many writes a replica had before the writer was told. */
  safe(): number {
    return this.#accepted.filter(({ isSafe }) => isSafe).length;
  }

  async #write(pod: RedisPod): Promise<void> {
    const client = new Redis({
      host: '127.0.0.1',
      port: pod.redis.port,
      password: PASSWORDS.REPLICATION_PASSWORD,
      protocol: 2,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      disableClientInfo: true,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    });
    client.on('error', () => undefined);
    this.#ending.signal.addEventListener('abort', () => client.disconnect());
    for (let index = 0; !this.#ending.signal.aborted; index += 1) {
      await this.#writeOne(client, pod, `${pod.ordinal}-${index}`);
      await sleep(PAUSE_MS);
    }
  }

  async #writeOne(client: Redis, pod: RedisPod, value: string): Promise<void> {
    try {
      await client.call('RPUSH', LIST, value);
    } catch {
      return;
    }
    const entry = { pod, value, isSafe: false };
    this.#accepted.push(entry);
    const copies = await client.call('WAIT', '1', '1000').catch(() => 0);
    entry.isSafe = Number(copies) >= 1;
  }
}
