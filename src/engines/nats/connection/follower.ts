import { AckPolicy, type ConsumerConfig, DeliverPolicy, type StreamState } from '@nats-io/jetstream';
import { type Msg, nanos } from '@nats-io/transport-node';
import { ANSWER_MS } from '../../shared/terms.ts';
import { ignored } from '../../shared/ignored.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { every } from '../../../core/base/every.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Log } from '../../../core/ports/log.ts';
import type { Names } from './names.ts';
import { natsUnavailable } from './answers.ts';
import type { NatsLink } from './link.ts';

/** An idle consumer sends a heartbeat so often. After three missing ones the follower makes another consumer. */
const HEARTBEAT_MS = 1_000;
const SILENT_MS = 3 * HEARTBEAT_MS;
/** A message that the pod waits for counts as lost on the way after so long. */
const PATIENCE_MS = 1_000;
/** The server removes a consumer that has had no subscriber for so long. */
const INACTIVE_MS = 10_000;
/** The status of heartbeats and flow control. */
const STATUS = 100;
/** The words of a reply subject from servers before 2.10. Newer ones add the domain and the account. */
const OLD_WORDS = 9;

/** The latest message under a subject. */
export interface Row {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The stream's sequence. */
  readonly sequence: number;
}

/** Receives the rows of a follower. Nothing here throws. */
export interface Reader {
  /** All rows come once more, from the first, until `current`. `silentMs`: how long the follower knew nothing new. */
  begin(silentMs: number): void;
  take(row: Row): void;
  /** All rows that were stored at `begin` have come. Later ones are news. */
  current(): void;
}

export interface FollowerOptions {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly names: Names;
  readonly pod: string;
  readonly what: 'presence' | 'leases' | 'denials';
  readonly reader: Reader;
}

interface Waiting {
  readonly sequence: number;
  readonly resolve: () => void;
}

/**
 * Reads a stream that stores one message for each subject, and follows it. It begins with the first message on each
 * connection, since the server may have been restored from a backup. While a connection lasts, it misses nothing: after
 * a lost message it continues from the last one that came.
 */
export class Follower {
  readonly #options: FollowerOptions;
  /** Part of the names of the consumer and its subject. Each consumer has others: a former one may still be sending. */
  #serial = 0;
  #unsubscribe: () => void = ignored;
  /** The consumer's sequence of its last message. */
  #delivered = 0;
  /** All messages up to this sequence have been taken. */
  #position = 0;
  /** The follower is current at this sequence; undefined until the server has named it. */
  #goal: number | undefined;
  #isCurrent = false;
  /** The times below are by `Clock.elapsed`. The last sign of the consumer, and the last message. */
  #heardAt = 0;
  #tookAt = 0;
  /** The last sign of a consumer while the follower was current. */
  #currentAt = -Infinity;
  #waiting: Waiting[] = [];
  #stopped = false;
  readonly #stopWatching: () => void;

  constructor(options: FollowerOptions) {
    this.#options = options;
    options.link.whenUp(() => void this.#follow(true));
    this.#stopWatching = every(options.clock, HEARTBEAT_MS, () =>
      this.#continueUnless(this.#heardAt, SILENT_MS),
    );
  }

  get isCurrent(): boolean {
    return this.#isCurrent && this.#options.link.up;
  }

  stop(): void {
    this.#stopped = true;
    this.#stopWatching();
    this.#unsubscribe();
  }

  /** Resolves once all rows that are stored now have been taken. Raises Unavailable. */
  async upToDate(): Promise<void> {
    const { link } = this.#options;
    const { state } = await link.call(({ jsm }) => jsm.streams.info(this.#stream));
    await this.#reach(endOf(state));
  }

  #reach(sequence: number): Promise<void> {
    if (this.#isAt(sequence)) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const again = clock.after(PATIENCE_MS, () => this.#continueUnless(this.#tookAt, PATIENCE_MS));
      const late = clock.after(ANSWER_MS, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(natsUnavailable('stored rows did not arrive in time'));
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

  async #follow(fromStart: boolean): Promise<void> {
    const { link, log } = this.#options;
    if (this.#stopped) return;
    const serial = this.#begin(fromStart);
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
      // It tries again on the next connection, or when the consumer has been silent for too long.
      if (!(error instanceof Unavailable)) log.error({ err: error }, 'a stream of NATS cannot be followed');
    }
  }

  #begin(fromStart: boolean): number {
    const { clock, link, reader } = this.#options;
    this.#serial += 1;
    if (this.#isCurrent) this.#currentAt = this.#heardAt;
    this.#heardAt = clock.elapsed();
    this.#delivered = 0;
    this.#goal = undefined;
    if (fromStart) {
      this.#position = 0;
      this.#isCurrent = false;
      reader.begin(clock.elapsed() - this.#currentAt);
    }
    this.#unsubscribe();
    this.#unsubscribe = link.subscribe(this.#subject, (message) => this.#receive(message));
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
      inactive_threshold: nanos(INACTIVE_MS),
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
    };
  }

  #receive(message: Msg): void {
    if (message.headers?.code === STATUS) this.#takeStatus(message);
    else this.#takeRow(message);
  }

  #takeRow(message: Msg): void {
    // The reply subject ends in: deliveries, stream sequence, consumer sequence, time, pending messages.
    const words = (message.reply ?? '').split('.');
    const first = words.length === OLD_WORDS ? 4 : 6;
    this.#heardAt = this.#options.clock.elapsed();
    this.#tookAt = this.#heardAt;
    const [sequence, delivered] = [Number(words[first + 1]), Number(words[first + 2])];
    if (delivered !== this.#delivered + 1) {
      void this.#follow(false);
      return;
    }
    this.#delivered = delivered;
    // A consumer on a server that lags behind the others may begin too early.
    if (sequence <= this.#position) return;
    this.#options.reader.take({ subject: message.subject, data: message.data, sequence });
    this.#position = sequence;
    this.#arrive();
  }

  /** A heartbeat, or flow control, which wants an answer. */
  #takeStatus(message: Msg): void {
    const { clock, link } = this.#options;
    const stalled = message.headers?.get('Nats-Consumer-Stalled');
    if (message.reply !== undefined && message.reply !== '') message.respond();
    else if (stalled !== undefined && stalled !== '' && link.up) link.publish(stalled, '');
    const delivered = message.headers?.get('Nats-Last-Consumer') ?? '';
    if (delivered === '' || Number(delivered) !== this.#delivered || this.#goal === undefined) return;
    this.#heardAt = clock.elapsed();
    // The consumer has read so far. If its server lags behind the others, that is not all of the stream.
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

  /** Continues with another consumer, unless something came within the last `ms`. */
  #continueUnless(last: number, ms: number): void {
    const { clock, link } = this.#options;
    if (link.up && clock.elapsed() - last >= ms) void this.#follow(false);
  }
}

/** The newest message's sequence; 0 if all have expired. */
function endOf({ messages, last_seq: last }: StreamState): number {
  return messages === 0 ? 0 : last;
}
