import { createHash } from 'node:crypto';
import type { Clock } from '../../../core/ports/clock.ts';
import { ensureStream, type StreamInfo, type StreamPlan } from '../connection/streams.ts';
import type { Live } from '../connection/link.ts';
import type { Log } from '../../../core/ports/log.ts';
import { natsUnavailable } from '../connection/answers.ts';
import { type HistoryRecord, readRecord } from './record.ts';

/** A server that has become the leader of a stream has caught up by then. */
const CATCH_UP_MS = 10_000;
/** The name of a history, how often it has gone back, and the time of the newest message seen before it last did. */
const FORM = /^([a-z0-9]{6,24})x(\d{1,6})(?:-(\d{1,15}))?$/;

const NAME_LENGTH = 12;

interface Parts {
  readonly name: string;
  readonly times: number;
  /** Milliseconds since 1970; undefined: it never went back, or an earlier release did not write it. */
  readonly since?: number | undefined;
}

export interface EpochOptions {
  /** The name of the stream. */
  readonly stream: string;
  /** The settings that the stream needs now. */
  readonly plan: () => StreamPlan;
  readonly replicas: number;
  /** The subject on which pods announce another name. */
  readonly subject: string;
  readonly newName: () => string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when another history has begun. */
  readonly changed: () => void;
}

/** The newest message that this pod has seen; without a provisional id if only its place is known. */
type Seen = Pick<HistoryRecord, 'seq' | 'placedAt' | 'provisionalId'>;

/**
 * Which history the stream holds. The name is in the stream's description. The history **went back** if the stream
 * holds less than this pod has seen, or another message in its place: it was restored from a backup, or a disk lost
 * stored messages. Then all positions are void, and the history gets the next name. A stream with another creation time
 * was recreated, and gets a new name. All pods that notice choose the same name.
 */
export class Epoch {
  readonly #options: EpochOptions;
  #parts: Parts | undefined;
  #seen: Seen = { seq: 0, placedAt: 0, provisionalId: '' };
  /** When the stream was created, as the server says. */
  #created = '';
  /** Since when the stream holds less than this pod has seen, by `Clock.elapsed`. */
  #behindSince: number | undefined;

  constructor(options: EpochOptions) {
    this.#options = options;
  }

  /** Empty before the first greeting. */
  get name(): string {
    return this.#parts === undefined ? '' : epochOf(this.#parts);
  }

  /** How often the history has gone back. */
  get times(): number {
    return this.#parts?.times ?? 0;
  }

  /**
   * The name that the history had when the message was stored. A pod that did not know that the history went back may
   * have written the old count; such a message has the present name, since its place was another message's before.
   */
  nameFor({ times, placedAt }: HistoryRecord): string {
    const parts = this.#parts;
    if (parts === undefined) return '';
    const isLate = times < parts.times && placedAt > (parts.since ?? Infinity);
    return isLate ? this.name : epochOf({ ...parts, times });
  }

  /** The newest sequence that this pod has seen. */
  get seen(): number {
    return this.#seen.seq;
  }

  saw(message: Seen): void {
    const { seq, placedAt, provisionalId } = message;
    if (seq > this.#seen.seq) this.#seen = { seq, placedAt, provisionalId };
  }

  /** Creates the stream if needed, and makes sure that its name is right. Raises errors of JetStream. */
  async greet(live: Live): Promise<void> {
    const { plan, stream, newName, subject } = this.#options;
    // More messages may come before the answer.
    const seen = this.#seen;
    const description = written({ name: newName(), times: 0 });
    // The first greeting of a pod applies its settings; later on, pods that started since may need more.
    const described = { ...plan(), growsOnly: this.#parts !== undefined, description };
    const info = await ensureStream(live, described);
    const { config, created, state } = info;
    const stored = read(config.description) ?? namedBy(stream, created);
    const isKnown = this.#parts?.name === stored.name;
    const isOther = isKnown && created !== this.#created;
    this.#requireCaughtUp(isKnown && !isOther && state.last_seq < seen.seq);
    const wentBack = isKnown && (await this.#wentBack(live, info, seen));
    // A stream that holds the last message that this pod saw is the same history, whenever its leader says it was made.
    const isRecreated = wentBack && isOther;
    const next = isRecreated ? namedBy(stored.name, created) : this.#next(stored, wentBack, seen);
    if (written(next) !== config.description)
      await live.jsm.streams.update(stream, { description: written(next) });
    this.#created = created;
    if (epochOf(next) === this.name) {
      this.#parts = next;
      return;
    }
    this.#begin(next, {
      seq: state.last_seq,
      placedAt: Math.max(Date.parse(state.last_ts), 0),
      provisionalId: '',
    });
    // Tells pods that have not noticed, before this pod publishes anything else.
    live.connection.publish(subject, this.name);
  }

  /** Whether the stream is the history that this pod knows. Raises errors of JetStream. */
  async isAsKnown(live: Live): Promise<boolean> {
    const seen = this.#seen;
    const info = await live.jsm.streams.info(this.#options.stream);
    const there = read(info.config.description);
    const isOther = there === undefined || epochOf(there) !== this.name;
    return !isOther && !(await this.#wentBack(live, info, seen));
  }

  async #wentBack(
    { jsm }: Live,
    { created, state }: StreamInfo,
    { seq, provisionalId }: Seen,
  ): Promise<boolean> {
    const isOther = created !== this.#created;
    if (state.last_seq < seq) return true;
    if (provisionalId === '') return isOther;
    // After it went back, other pods may have published so much that the stream does not hold less any more.
    const found = await jsm.streams.getMessage(this.#options.stream, { seq });
    return found === null ? isOther : readRecord(seq, found.data, 0).provisionalId !== provisionalId;
  }

  /** Raises Unavailable while the stream holds less than this pod saw, but its leader may only be catching up. */
  #requireCaughtUp(isLess: boolean): void {
    const { clock, replicas } = this.#options;
    if (isLess && replicas > 1) {
      this.#behindSince ??= clock.elapsed();
      if (clock.elapsed() - this.#behindSince < CATCH_UP_MS)
        throw natsUnavailable('the leader of the history is catching up');
    }
    this.#behindSince = undefined;
  }

  #next(there: Parts, isLess: boolean, { placedAt }: Seen): Parts {
    const known = this.#parts;
    // Another pod gave the name already, or this pod did not know the history.
    if (known?.name !== there.name || there.times > known.times) return there;
    const wentBack = there.times < known.times || isLess;
    return wentBack ? { name: known.name, times: known.times + 1, since: Math.ceil(placedAt) } : there;
  }

  #begin(parts: Parts, last: Seen): void {
    const isFirst = this.#parts === undefined;
    this.#parts = parts;
    this.#seen = last;
    if (isFirst) return;
    this.#options.log.warn({}, 'another history has begun in NATS; earlier positions are lost');
    this.#options.changed();
  }
}

function read(text = ''): Parts | undefined {
  const [, name, times, since] = FORM.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name, times: Number(times), since: since === undefined ? undefined : Number(since) };
}

/** The name for a stream that an operator recreated, without a description or with the one of its predecessor. */
function namedBy(former: string, created: string): Parts {
  const hash = createHash('sha256').update(`${former}\n${created}`).digest('hex');
  return { name: hash.slice(0, NAME_LENGTH), times: 0 };
}

/** The epoch in positions. */
function epochOf({ name, times }: Parts): string {
  return `${name}x${times}`;
}

/** The text in the stream's description. */
function written(parts: Parts): string {
  return parts.since === undefined ? epochOf(parts) : `${epochOf(parts)}-${parts.since}`;
}
