import { formatPosition, parsePosition, roomTag } from '../../../protocol/position.ts';
import { type HistoryRecord, readRecord, writeRecord } from './record.ts';
import type { Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { Epoch } from './epoch.ts';
import { StoredMessages } from './stored-messages.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import type { NatsClaims } from './claims.ts';
import { isInProcess, natsUnavailable } from '../connection/answers.ts';
import { NatsReads } from './reads.ts';
import { pause } from '../../../core/base/pause.ts';
import { ANSWER_MS, CLAIM_MS, POSITION_MS, SENT_SKEW_MS } from '../../shared/terms.ts';
import type { Publication } from '../../shared/publication.ts';

/** A message id that was sent so long ago may be forgotten before it is sent again. */
const UNSURE_MS = CLAIM_MS / 2;
/** What is still on its way under the same message id is asked for again after so long. */
const IN_PROCESS_MS = 50;

export interface NatsHistoryOptions {
  readonly backbone: NatsBackbone;
  readonly claims: NatsClaims;
  /** Messages kept per room. */
  readonly size: number;
  readonly ttlMs: number;
  /** A name that no other history has: lower-case letters and digits. */
  readonly newEpoch: () => string;
}

/** What came on a room's subject because it was kept. */
export interface Republished {
  readonly seq: number;
  /** The one before it in its room; 0 if nothing was kept. */
  readonly lastSeq: number;
  readonly data: Uint8Array;
}

/**
 * The history of rooms in one stream of NATS, a subject for each. Positions are the stream's sequences; that of an
 * empty room is a moment. Everything here that asks raises Unavailable.
 */
export class NatsHistory {
  readonly #options: NatsHistoryOptions;
  readonly #epoch: Epoch;
  readonly #messages: StoredMessages;
  readonly #reads: NatsReads;
  /** When this pod last heard of the history at all, by `Clock.elapsed`. */
  #heardAt = -Infinity;
  /** When NATS came (back) last, by `Clock.elapsed`. */
  #upAt = -Infinity;

  constructor(options: NatsHistoryOptions) {
    this.#options = options;
    const { backbone, size, ttlMs } = options;
    const { link, names } = backbone;
    const positionAt = (room: string, seq: number): string => this.#positionAt(room, seq);
    this.#messages = new StoredMessages({ link, names, most: size + 1, positionAt });
    this.#epoch = this.#newEpoch();
    this.#reads = new NatsReads({
      kept: this.#messages,
      size,
      ttlMs,
      now: () => link.now(),
      epoch: () => this.#epoch.name,
      positionAt,
      momentOf: (room) => this.#positionAt(room, 0, link.now()),
      stored: (room, kept, prev) => this.#stored(room, kept, prev),
    });
    link.prepare((live) => this.#epoch.greet(live));
    link.subscribe(names.subject('epoch'), (message) => {
      if (![this.#epoch.name, ''].includes(message.string())) link.reconnect('another history has begun');
    });
    link.whenUp(() => {
      // Who was away for so long cannot know that nothing was published meanwhile.
      const elapsed = backbone.clock.elapsed();
      if (this.#heardAt < elapsed - POSITION_MS) this.#messages.tails.clear();
      this.#heardAt = elapsed;
      this.#upAt = elapsed;
    });
  }

  /** The pod hears this room from now on. */
  begin(room: string): void {
    this.#messages.tails.begin(room);
  }

  end(room: string): void {
    this.#messages.tails.end(room);
  }

  /** Appends it, unless that was done before: then the id is that of the first time. */
  async append(publication: Publication): Promise<{ id: string; duplicate: boolean }> {
    const { room, key, provisionalId } = publication;
    const there = (await this.#claimed(publication)) ?? (await this.#sentBefore(publication));
    const { seen } = this.#epoch;
    const { seq, duplicate } =
      there === undefined ? await this.#publish(publication) : { seq: there, duplicate: true };
    // A place that something else had before.
    if (!duplicate && seq <= seen) throw this.#goneBack();
    this.#epoch.saw({ seq, provisionalId, placedAt: this.#options.backbone.link.now() });
    const id = this.#positionAt(room, seq);
    if (key !== undefined && !duplicate) this.#options.claims.note(provisionalId, id);
    return { id, duplicate };
  }

  /** That of the room's newest position, 0 if it was empty; undefined where this pod knows nothing of the room. */
  newestSequence(room: string): number | undefined {
    return parsePosition(this.#messages.tails.get(room)?.newest ?? '')?.ms;
  }

  /** What came by itself, as it is for the room; undefined for what no pod has put there. */
  heard(room: string, { seq, lastSeq, data }: Republished): Stored | undefined {
    const { clock, link } = this.#options.backbone;
    const kept = readRecord(seq, data, link.now());
    this.#epoch.saw(kept);
    this.#heardAt = clock.elapsed();
    const prev = this.#messages.heard(room, kept, lastSeq);
    return kept.provisionalId === '' ? undefined : this.#stored(room, kept, prev);
  }

  /** The room's newest position. */
  async newest(room: string): Promise<string> {
    return (await this.read(room, { newest: 0 }, 0)).position;
  }

  async read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const known = this.#messages.tails.get(room)?.last;
    const last = await this.#messages.last(room);
    this.#heardAt = this.#options.backbone.clock.elapsed();
    if (last !== undefined) this.#epoch.saw(last);
    const isOther = last?.provisionalId !== known?.provisionalId;
    if (known !== undefined && isOther && known.seq >= (last?.seq ?? 0)) await this.#lookInto(room, known);
    return this.#reads.read(room, from, limit, last);
  }

  async #publish({ room, key, provisionalId, trace, body }: Publication) {
    const { link } = this.#options.backbone;
    const at = link.now();
    const record = writeRecord({ at, times: this.#epoch.times, provisionalId, trace, body });
    for (let msgID = provisionalId; ;) {
      const sent = await this.#send(room, record, msgID);
      const first =
        sent.duplicate && key !== undefined ? await this.#messages.from(room, sent.seq) : undefined;
      const isFree = first?.seq === sent.seq && first.at <= at - CLAIM_MS;
      if (!isFree) return sent;
      // The key is free again by the pods' clocks, and not yet by that of the server.
      msgID = `${provisionalId}.${sent.seq}`;
    }
  }

  /** Again while what was sent first under the id is on its way: it may be taken, and is not refused. */
  async #send(room: string, record: string, msgID: string) {
    const { clock, link, names } = this.#options.backbone;
    const until = clock.elapsed() + ANSWER_MS;
    for (;;) {
      try {
        return await link.store(names.history(room), record, { msgID });
      } catch (error) {
        if (!isInProcess(error)) throw error;
      }
      if (clock.elapsed() >= until) throw natsUnavailable('what was sent first is still on its way');
      await pause(clock, IN_PROCESS_MS);
    }
  }

  /**
   * Where it is, if it has been published under its key. A server that was started again knows no longer the ids of
   * messages that have been trimmed since; else it is not asked for.
   */
  async #claimed({ key, provisionalId, sentAt }: Publication): Promise<number | undefined> {
    const { backbone, claims } = this.#options;
    if (key === undefined) return undefined;
    if (sentAt === undefined && backbone.clock.elapsed() >= this.#upAt + CLAIM_MS) return undefined;
    const position = parsePosition((await claims.first(provisionalId)) ?? '');
    return position?.epoch === this.#epoch.name ? position.ms : undefined;
  }

  /** Where it is, if it was sent so long ago that NATS may have forgotten its message id, and was taken. */
  async #sentBefore({ room, provisionalId, sentAt }: Publication): Promise<number | undefined> {
    const { clock, link } = this.#options.backbone;
    const agoMs = clock.elapsed() - (sentAt ?? Infinity);
    if (agoMs < UNSURE_MS) return undefined;
    const sent = link.now() - agoMs;
    const last = await this.#messages.last(room);
    const all = last === undefined ? [] : await this.#messages.all(room, last);
    return all.find((kept) => kept.provisionalId === provisionalId && kept.at > sent - SENT_SKEW_MS)?.seq;
  }

  /**
   * Whether what came by itself has a place in its room that this pod knows, and knows as something else's: then it is
   * of another history, or late. `verify` tells.
   */
  isDoubtful(room: string, { seq, data }: Republished): boolean {
    const tail = this.#messages.tails.get(room);
    if (tail === undefined || seq > (this.newestSequence(room) ?? 0)) return false;
    return tail.entries[tail.indexOf(seq)]?.provisionalId !== readRecord(seq, data, 0).provisionalId;
  }

  /** Where the stream does not hold what this pod takes it to hold all begins anew, and it raises. */
  async verify(): Promise<void> {
    if (!(await this.#options.backbone.link.call((live) => this.#epoch.isAsKnown(live))))
      throw this.#goneBack();
  }

  #goneBack(): Error {
    const reason = 'the history has gone back';
    this.#options.backbone.link.reconnect(reason);
    return natsUnavailable(reason);
  }

  /** A room has less than this pod has seen of it: the stream went back, or what was there has been deleted. */
  async #lookInto(room: string, { at }: HistoryRecord): Promise<void> {
    const { backbone, ttlMs } = this.#options;
    // Its time was over.
    if (at <= backbone.link.now() - ttlMs - POSITION_MS) return;
    await this.verify();
    // Nobody is in it any more, who would end it.
    if (this.#messages.tails.get(room) === undefined) return;
    this.#messages.tails.end(room);
    this.#messages.tails.begin(room);
  }

  #newEpoch(): Epoch {
    const { backbone, size, ttlMs, newEpoch: newName } = this.#options;
    const { clock, log, names, replicas } = backbone;
    const plan = {
      name: names.stream('history'),
      subjects: [names.subject('history', '*')],
      replicas,
      maxAgeMs: ttlMs + POSITION_MS,
      // The one before the oldest that is given tells what has been trimmed.
      perSubject: size + 1,
      duplicatesMs: CLAIM_MS,
      republish: { src: names.subject('history', '>'), dest: names.subject('room', '>') },
    };
    const subject = names.subject('epoch');
    return new Epoch({ plan, subject, newName, clock, log, changed: () => this.#messages.tails.clear() });
  }

  #positionAt(room: string, seq: number, moment = 0): string {
    return formatPosition({ epoch: this.#epoch.name, tag: roomTag(room), ms: seq, seq: moment });
  }

  #stored(room: string, kept: HistoryRecord, prev: string): Stored {
    const { seq, provisionalId, trace, body } = kept;
    // One that was there before the history went back is known by the id that it had.
    const id = formatPosition({ epoch: this.#epoch.nameFor(kept), tag: roomTag(room), ms: seq, seq: 0 });
    return { id, prev, body, provisionalId, trace };
  }
}
