import { AckPolicy, type ConsumerConfig, DeliverPolicy, type StreamState } from '@nats-io/jetstream';
import { type Msg, nanos } from '@nats-io/transport-node';
import { ANSWER_MS } from '../../shared/terms.ts';
import { ignored } from '../../shared/ignored.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Names } from './names.ts';
import { natsUnavailable } from './answers.ts';
import type { NatsLink } from './link.ts';

/** A consumer with nothing to tell gives a sign of life so often; without three of them it is made anew. */
const HEARTBEAT_MS = 1_000;
const SILENT_MS = 3 * HEARTBEAT_MS;
/** What the server has told and this pod has not heard by then was lost on the way. */
const PATIENCE_MS = 1_000;
/** A consumer that nobody hears lives so long. */
const UNHEARD_MS = 10_000;
const STATUS = 100;

/** What is kept under a subject now. */
export interface Row {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Its number in the stream. */
  readonly sequence: number;
}

/** Whom a follower tells. Nothing here throws. */
export interface Reader {
  /** Everything that is kept is told once more, after so many milliseconds without news; `current` ends it. */
  begin(silentMs: number): void;
  take(kept: Row): void;
  /** All has been told that was kept when it began; what follows is news. */
  current(): void;
}

export interface FollowerOptions {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly names: Names;
  readonly pod: string;
  /** Which stream. */
  readonly what: 'presence' | 'leases';
  readonly reader: Reader;
}

interface Waiting {
  readonly sequence: number;
  readonly resolve: () => void;
}

/**
 * Follows a stream that keeps one message for each subject, in its one order, from the beginning on each connection:
 * the server may have been put back meanwhile. On a connection it misses nothing, and goes on where it was.
 */
export class Follower {
  readonly #options: FollowerOptions;
  /** Each consumer has another name, and sends to another subject: that of one whom nobody hears any more ends. */
  #serial = 0;
  #endHearing: () => void = ignored;
  /** Number of the last message this consumer sent. */
  #delivered = 0;
  /** All up to here has been taken. */
  #position = 0;
  /** It is current once it has come so far; undefined while that is not known yet. */
  #goal: number | undefined;
  #isCurrent = false;
  /** When it last heard of its consumer, and when it last took something. */
  #heard = 0;
  #took = 0;
  /** When it last heard of it as long as it was current. */
  #knewAll = -Infinity;
  #waiting: Waiting[] = [];
  #stopped = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    options.link.whenUp(() => void this.#follow(true));
    this.#watchLater();
  }

  get isCurrent(): boolean {
    return this.#isCurrent && this.#options.link.up;
  }

  stop(): void {
    this.#stopped = true;
    this.#endHearing();
  }

  /** Resolves once all has been taken that is kept now. Raises Unavailable. */
  async upToDate(): Promise<void> {
    const { link } = this.#options;
    const { state } = await link.call(({ jsm }) => jsm.streams.info(this.#stream));
    await this.#reach(endOf(state));
  }

  #reach(sequence: number): Promise<void> {
    if (this.#isAt(sequence)) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const again = clock.after(PATIENCE_MS, () => this.#goOnUnless(this.#took, PATIENCE_MS));
      const late = clock.after(ANSWER_MS, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(natsUnavailable('what it keeps does not come'));
      });
      const waiting = {
        sequence,
        resolve: () => {
          again();
          late();
          resolve();
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #isAt(sequence: number): boolean {
    return this.#isCurrent && this.#position >= sequence;
  }

  async #follow(anew: boolean): Promise<void> {
    const { link, log } = this.#options;
    if (this.#stopped) return;
    const serial = this.#begin(anew);
    const stream = this.#stream;
    try {
      const config = this.#consumerConfig();
      const { state } = await link.call(async ({ jsm }) => {
        const info = await jsm.streams.info(stream);
        await jsm.consumers.add(stream, config);
        return info;
      });
      if (serial !== this.#serial) return;
      this.#goal = endOf(state);
      this.#arrive();
    } catch (error) {
      // Of the link's next connection, or when nothing has been heard for a while, it begins again.
      if (!(error instanceof Unavailable)) log.error({ err: error }, 'a stream of NATS cannot be followed');
    }
  }

  #begin(anew: boolean): number {
    const { clock, link, reader } = this.#options;
    this.#serial += 1;
    if (this.#isCurrent) this.#knewAll = this.#heard;
    this.#heard = clock.elapsed();
    this.#delivered = 0;
    this.#goal = undefined;
    if (anew) {
      this.#position = 0;
      this.#isCurrent = false;
      reader.begin(clock.elapsed() - this.#knewAll);
    }
    this.#endHearing();
    this.#endHearing = link.subscribe(this.#subject, (message) => this.#hear(message));
    return this.#serial;
  }

  get #stream(): string {
    return this.#options.names.stream(this.#options.what);
  }

  get #subject(): string {
    const { names, pod, what } = this.#options;
    return names.subject('follow', what, pod, String(this.#serial));
  }

  #consumerConfig(): Partial<ConsumerConfig> & { name: string } {
    return {
      name: `${this.#options.pod}-${this.#serial}`,
      deliver_subject: this.#subject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#position + 1,
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(UNHEARD_MS),
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
    };
  }

  #hear(message: Msg): void {
    if (message.headers?.code === STATUS) this.#takeStatus(message);
    else this.#takeRow(message);
  }

  #takeRow(message: Msg): void {
    // Ends in: how often it was sent, number in the stream, number of the consumer, time, how many follow.
    const words = (message.reply ?? '').split('.');
    const first = words.length === OLD_WORDS ? 4 : 6;
    this.#heard = this.#options.clock.elapsed();
    this.#took = this.#heard;
    const [sequence, delivered] = [Number(words[first + 1]), Number(words[first + 2])];
    if (delivered !== this.#delivered + 1) {
      void this.#follow(false);
      return;
    }
    this.#delivered = delivered;
    // A consumer on a server that is behind the others may begin too early.
    if (sequence <= this.#position) return;
    this.#options.reader.take({ subject: message.subject, data: message.data, sequence });
    this.#position = sequence;
    this.#arrive();
  }

  /** A sign of life, or the question whether all was taken so far. */
  #takeStatus(message: Msg): void {
    const { clock, link } = this.#options;
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    if (message.reply !== undefined && message.reply !== '') message.respond();
    else if (stalled !== undefined && stalled !== '' && link.up) link.publish(stalled, '');
    const delivered = message.headers?.get('Nats-Last-Consumer') ?? '';
    if (delivered === '' || Number(delivered) !== this.#delivered || this.#goal === undefined) return;
    this.#heard = clock.elapsed();
    // What it has looked through; where its server is behind the others that is not all.
    this.#position = Math.max(this.#position, Number(message.headers?.get('Nats-Last-Stream') ?? 0));
    this.#arrive();
  }

  #arrive(): void {
    if (this.#goal === undefined || this.#position < this.#goal) return;
    if (!this.#isCurrent) {
      this.#isCurrent = true;
      this.#options.reader.current();
    }
    if (this.#waiting.length === 0) return;
    const here = this.#waiting.filter(({ sequence }) => this.#isAt(sequence));
    this.#waiting = this.#waiting.filter(({ sequence }) => !this.#isAt(sequence));
    for (const { resolve } of here) resolve();
  }

  /** By another consumer, where this one has left off; unless something came that late. */
  #goOnUnless(last: number, ms: number): void {
    const { clock, link } = this.#options;
    if (link.up && clock.elapsed() - last >= ms) void this.#follow(false);
  }

  #watchLater(): void {
    const { clock } = this.#options;
    clock.after(HEARTBEAT_MS, () => {
      if (this.#stopped) return;
      this.#goOnUnless(this.#heard, SILENT_MS);
      this.#watchLater();
    });
  }
}

/** The number of the newest message; 0 where all are too old. */
function endOf({ messages, last_seq: last }: StreamState): number {
  return messages === 0 ? 0 : last;
}

/** Newer servers name domain and account besides. */
const OLD_WORDS = 9;
