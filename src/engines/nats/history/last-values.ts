import { type DatedValue, isStoredAfter, laterValue, readValue, writeValue } from './value-record.ts';
import { ensureStream, type StreamInfo, UNNAMED_MS } from '../connection/streams.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import type { Fleeting, LastValue, LastValueSlot, Published } from '../../../core/ports/broker.ts';
import { isWrongSequence } from '../connection/answers.ts';
import { atMostOncePer } from '../../../core/base/at-most.ts';
import type { Live } from '../connection/link.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import type { NatsHistory } from './history.ts';
import type { Publication } from '../../shared/publication.ts';
import { roomToken } from '../connection/names.ts';
import { Unavailable } from '../../shared/unavailable.ts';

/** The stream's age limit must not be zero: that would mean no limit. */
const LEAST_AGE_MS = 60_000;
/** So many rooms are remembered whose value this pod wrote. */
const REMEMBERED = 10_000;
const WARNING_MS = 60_000;

export interface NatsLastValuesOptions {
  readonly backbone: NatsBackbone;
  readonly history: NatsHistory;
  /** The largest limits of all rooms, as of now. A value lives as long as the messages of its room may. */
  readonly widest: () => HistoryLimits;
}

/** A value in the stream. `seq` 0: the room has none. */
interface Place {
  readonly seq: number;
  readonly value?: DatedValue | undefined;
}

/**
 * The values of rooms, in a stream with one message for each room and slot. A pod that keeps no values does not touch
 * the stream. All methods raise Unavailable.
 */
export class NatsLastValues {
  readonly #options: NatsLastValuesOptions;
  /** What this pod knows to be in the stream, by subject. Its own writes then need no reading. */
  readonly #places = new Map<string, Place>();
  readonly #warn: (error: unknown) => void;
  /** Resolves once the stream is as this pod needs it. */
  #ready: Promise<StreamInfo> | undefined;
  #ageMs = 0;
  #isFirst = true;

  constructor(options: NatsLastValuesOptions) {
    this.#options = options;
    const { clock, link, log } = options.backbone;
    let last: unknown;
    const warn = atMostOncePer(WARNING_MS, clock, () =>
      log.error({ err: last }, 'NATS refuses the values of rooms; a join may bring an old value, or none'),
    );
    this.#warn = (error) => {
      last = error;
      warn();
    };
    link.whenUp(() => {
      this.#ready = undefined;
      this.#places.clear();
    });
  }

  /** The history stored the publication: it becomes the value of its room, unless a later one is that. */
  async keep(publication: Publication, { id, duplicate }: Published): Promise<void> {
    const { room, body, provisionalId, lastValue } = publication;
    if (lastValue === undefined) return;
    const { backbone, history } = this.#options;
    const at = Math.floor(backbone.link.now());
    // What was stored first counts: a repetition may have another body.
    const value = duplicate ? await history.at(room, id) : { id, body, provisionalId, at };
    if (value === undefined) return;
    await this.#unlessRefused(this.#put(this.#subject(room, lastValue.slot), value));
  }

  /** For a message that no history stores. */
  async set(room: string, { slot }: LastValueSlot, { id, body }: Fleeting): Promise<void> {
    const subject = this.#subject(room, slot);
    const text = writeValue({ at: Math.floor(this.#options.backbone.link.now()), id, body });
    await this.#unlessRefused(this.#store(subject, text));
  }

  async get(room: string, { slot, ttlMs }: LastValueSlot): Promise<LastValue | undefined> {
    const { backbone, history } = this.#options;
    // A message is in the history a moment before it is in the stream of values.
    const [place, stored] = await Promise.all([
      this.#unlessRefused(this.#read(this.#subject(room, slot))),
      history.newestIn(room, slot),
    ]);
    const value = laterValue(place?.value, stored);
    if (value === undefined || value.at + ttlMs <= backbone.link.now()) return undefined;
    const { at: _, ...rest } = value;
    return rest;
  }

  async #put(subject: string, value: DatedValue): Promise<void> {
    const text = writeValue(value);
    for (let there = this.#places.get(subject) ?? (await this.#read(subject)); ;) {
      if (there.value !== undefined && isStoredAfter(there.value, value)) return;
      try {
        const seq = await this.#store(subject, text, there.seq);
        this.#remember(subject, { seq, value: { ...value, body: '' } });
        return;
      } catch (error) {
        if (!isWrongSequence(error)) throw error;
      }
      // Another pod was faster, or the former value has expired.
      there = await this.#read(subject);
    }
  }

  /** `after`: the sequence of the value that it replaces; undefined: whatever is there. */
  #store(subject: string, text: string, after?: number): Promise<number> {
    const { payload } = this.#options.backbone.link;
    payload.require(Buffer.byteLength(text));
    const options = after === undefined ? {} : { expect: { lastSubjectSequence: after } };
    return this.#call(async ({ js }) => (await js.publish(subject, text, options)).seq);
  }

  async #read(subject: string): Promise<Place> {
    const { names } = this.#options.backbone;
    const query = { last_by_subj: subject };
    const found = await this.#call(({ jsm }) => jsm.streams.getMessage(names.stream('values'), query));
    return found === null ? { seq: 0 } : { seq: found.seq, value: readValue(found.string()) };
  }

  #remember(subject: string, place: Place): void {
    this.#places.delete(subject);
    this.#places.set(subject, place);
    if (this.#places.size <= REMEMBERED) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }

  #call<R>(send: (live: Live) => Promise<R>): Promise<R> {
    return this.#options.backbone.link.call(async (live) => {
      if (this.#ready === undefined || this.#options.widest().historyTtlMs > this.#ageMs) this.#prepare(live);
      await this.#ready;
      return send(live);
    });
  }

  #prepare(live: Live): void {
    const { backbone, widest } = this.#options;
    const { names, replicas } = backbone;
    this.#ageMs = Math.max(this.#ageMs, widest().historyTtlMs);
    const plan = {
      name: names.stream('values'),
      subjects: [names.subject('values', '*', '*')],
      replicas,
      maxAgeMs: Math.max(this.#ageMs, LEAST_AGE_MS),
      perSubject: 1,
      duplicatesMs: UNNAMED_MS,
      growsOnly: !this.#isFirst,
    };
    const ready = ensureStream(live, plan);
    this.#ready = ready;
    ready.then(
      () => (this.#isFirst = false),
      () => {
        if (this.#ready === ready) this.#ready = undefined;
      },
    );
  }

  /** A message is published, and a client joins, although NATS refuses the value for good. */
  async #unlessRefused<R>(task: Promise<R>): Promise<R | undefined> {
    try {
      return await task;
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      this.#warn(error);
      return undefined;
    }
  }

  #subject(room: string, slot: LastValueSlot['slot']): string {
    return this.#options.backbone.names.subject('values', slot, roomToken(room));
  }
}
