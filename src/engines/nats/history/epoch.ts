import { createHash } from 'node:crypto';
import type { Clock } from '../../../core/ports/clock.ts';
import { ensureStream, type StreamInfo, type StreamPlan } from '../connection/streams.ts';
import type { Live } from '../connection/link.ts';
import type { Log } from '../../../core/ports/log.ts';
import { natsUnavailable } from '../connection/answers.ts';
import { type HistoryRecord, readRecord } from './record.ts';

/** A server that has become the leader of a stream has all of it by then. */
const CATCH_UP_MS = 10_000;
/** The name of a history, how often it has gone back, and the moment up to which nothing was kept since it did. */
const FORM = /^([a-z0-9]{6,24})x(\d{1,6})(?:-(\d{1,15}))?$/;

const NAME_LENGTH = 12;

interface Parts {
  readonly name: string;
  readonly times: number;
  /** Milliseconds since 1970; undefined: it never went back, or that was not written down. */
  readonly since?: number | undefined;
}

export interface EpochOptions {
  readonly plan: StreamPlan;
  /** Where the pods are told of another name. */
  readonly subject: string;
  readonly newName: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Another history has begun. */
  readonly changed: () => void;
}

/** The latest message that this pod has seen; without a provisional id where only the place is known. */
type Seen = Pick<HistoryRecord, 'seq' | 'placedAt' | 'provisionalId'>;

/**
 * Which history the stream holds: its name is in the stream's description. A stream that holds less than this pod has
 * seen of it, or something else in its place, went back (it was restored, or a disk lost what was acknowledged): then the
 * positions of all pods are good for nothing, and the history is given the next name. One that was made at another time
 * is another one under the name of the one before, and is given a name of its own: nothing in it was there before. Any
 * pod that finds out gives the same name.
 */
export class Epoch {
  readonly #options: EpochOptions;
  #parts: Parts | undefined;
  #seen: Seen = { seq: 0, placedAt: 0, provisionalId: '' };
  /** When the stream was made, as the server says it. */
  #created = '';
  /** Since when it has less, by `Clock.elapsed`. */
  #behindSince: number | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  /** Empty before the first greeting. */
  get name(): string {
    return this.#parts === undefined ? '' : epochOf(this.#parts);
  }

  /** How often it has gone back. */
  get times(): number {
    return this.#parts?.times ?? 0;
  }

  /**
   * The name that it had when the message was published. One that was kept after the history had gone back, by a pod
   * that did not know, has the name of now: under the other one its place was that of another message.
   */
  nameFor({ times, placedAt }: HistoryRecord): string {
    const parts = this.#parts;
    if (parts === undefined) return '';
    const isLate = times < parts.times && placedAt > (parts.since ?? Infinity);
    return isLate ? this.name : epochOf({ ...parts, times });
  }

  /** The latest sequence that this pod has seen of it. */
  get seen(): number {
    return this.#seen.seq;
  }

  saw(message: Seen): void {
    const { seq, placedAt, provisionalId } = message;
    if (seq > this.#seen.seq) this.#seen = { seq, placedAt, provisionalId };
  }

  /** Makes sure that there is a stream and that its name is the right one. Raises what JetStream says. */
  async greet(live: Live): Promise<void> {
    const { plan, newName, subject } = this.#options;
    // More may come while the answer is on its way.
    const seen = this.#seen;
    const described = { ...plan, description: written({ name: newName(), times: 0 }) };
    const info = await ensureStream(live, described);
    const { config, created, state } = info;
    const there = read(config.description) ?? namedBy(plan.name, created);
    const isKnown = this.#parts?.name === there.name;
    const isRemade = isKnown && created !== this.#created;
    this.#requireCaughtUp(isKnown && !isRemade && state.last_seq < seen.seq);
    const wentBack = isKnown && (await this.#wentBack(live, info, seen));
    const goes = isRemade ? namedBy(there.name, created) : this.#next(there, wentBack, seen);
    if (written(goes) !== config.description)
      await live.jsm.streams.update(plan.name, { description: written(goes) });
    this.#created = created;
    if (epochOf(goes) === this.name) {
      this.#parts = goes;
      return;
    }
    this.#begin(goes, {
      seq: state.last_seq,
      placedAt: Math.max(Date.parse(state.last_ts), 0),
      provisionalId: '',
    });
    // For pods that have not noticed, before anything that this pod publishes.
    live.connection.publish(subject, this.name);
  }

  /** Whether the stream holds what this pod takes it to hold. Raises what JetStream says. */
  async isAsKnown(live: Live): Promise<boolean> {
    const seen = this.#seen;
    const info = await live.jsm.streams.info(this.#options.plan.name);
    const there = read(info.config.description);
    const isOther = there === undefined || epochOf(there) !== this.name;
    return !isOther && !(await this.#wentBack(live, info, seen));
  }

  async #wentBack(
    { jsm }: Live,
    { created, state }: StreamInfo,
    { seq, provisionalId }: Seen,
  ): Promise<boolean> {
    if (created !== this.#created || state.last_seq < seq) return true;
    if (provisionalId === '') return false;
    // Others may have published since it went back, so much that it does not hold less any more.
    const found = await jsm.streams.getMessage(this.#options.plan.name, { seq });
    return found !== null && readRecord(seq, found.data, 0).provisionalId !== provisionalId;
  }

  /** Raises Unavailable while the stream, which has less than was seen of it, may only be behind. */
  #requireCaughtUp(isLess: boolean): void {
    const { clock, plan } = this.#options;
    if (isLess && plan.replicas > 1) {
      this.#behindSince ??= clock.elapsed();
      if (clock.elapsed() - this.#behindSince < CATCH_UP_MS) throw natsUnavailable('the history is behind');
    }
    this.#behindSince = undefined;
  }

  #next(there: Parts, isLess: boolean, { placedAt }: Seen): Parts {
    const known = this.#parts;
    // One that nobody here knew: it was made anew.
    if (known?.name !== there.name || there.times > known.times) return there;
    const wentBack = there.times < known.times || isLess;
    return wentBack ? { name: known.name, times: known.times + 1, since: Math.ceil(placedAt) } : there;
  }

  #begin(parts: Parts, last: Seen): void {
    const isFirst = this.#parts === undefined;
    this.#parts = parts;
    this.#seen = last;
    if (isFirst) return;
    this.#options.log.warn({}, 'the history in NATS is another one; earlier positions are lost');
    this.#options.changed();
  }
}

function read(text = ''): Parts | undefined {
  const [, name, times, since] = FORM.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name, times: Number(times), since: since === undefined ? undefined : Number(since) };
}

/** Of a stream that an operator made anew, without a name of Crosspod's or with that of the one before. */
function namedBy(former: string, created: string): Parts {
  const hash = createHash('sha256').update(`${former}\n${created}`).digest('hex');
  return { name: hash.slice(0, NAME_LENGTH), times: 0 };
}

/** As positions name it. */
function epochOf({ name, times }: Parts): string {
  return `${name}x${times}`;
}

/** As the stream's description has it. */
function written(parts: Parts): string {
  return parts.since === undefined ? epochOf(parts) : `${epochOf(parts)}-${parts.since}`;
}
