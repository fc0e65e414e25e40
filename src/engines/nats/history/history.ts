import { formatPosition, parsePosition, roomTag } from '../../../protocol/position.ts';
import { type HistoryRecord, readRecord, SLOT_HEADER, writeRecord } from './record.ts';
import type { DatedValue } from './value-record.ts';
import type { LastValueSlot, Page, ReadFrom, Stored } from '../../../core/ports/broker.ts';
import { Epoch } from './epoch.ts';
import type { HistoryLimits } from '../../../core/ports/room-rules.ts';
import { HistoryPlan } from './history-plan.ts';
import { StoredMessages } from './stored-messages.ts';
import type { NatsBackbone } from '../connection/backbone.ts';
import type { NatsClaims } from './claims.ts';
import { isInProcess, natsUnavailable } from '../connection/answers.ts';
import { NatsReads } from './reads.ts';
import { ensureStream, type StreamPlan } from '../connection/streams.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { pause } from '../../../core/base/pause.ts';
import { ANSWER_MS, CLAIM_MS, POSITION_MS, SENT_SKEW_MS } from '../../shared/terms.ts';
import type { Publication } from '../../shared/publication.ts';

/** After so long the server may forget a message id before the publication is sent again. */
const UNSURE_MS = CLAIM_MS / 2;
/** The pause before a message is sent again whose first copy is still being stored. */
const IN_PROCESS_MS = 50;

export interface NatsHistoryOptions {
  readonly backbone: NatsBackbone;
  readonly claims: NatsClaims;
  readonly limitsOf: (room: string) => HistoryLimits;
  /** The largest limits of all rooms, as of now. */
  readonly widest: () => HistoryLimits;
  /** Makes a unique name of a history: lower-case letters and digits. */
  readonly newEpoch: () => string;
}

/** A stored message that came by the room's subscription. */
export interface Republished {
  readonly seq: number;
  /** The sequence of the message before it in the room; 0: none. */
  readonly lastSeq: number;
  readonly data: Uint8Array;
  /** What SLOT_HEADER says. */
  readonly slot?: string;
}

/**
 * The history of all rooms in one stream, with one subject per room. Positions are the stream's sequences; the position
 * of an empty room is a moment. All requests raise Unavailable.
 */
export class NatsHistory {
  readonly #options: NatsHistoryOptions;
  readonly #plan: HistoryPlan;
  readonly #epoch: Epoch;
  readonly #messages: StoredMessages;
  readonly #reads: NatsReads;
  /** When this pod last received or read anything of the history, by `Clock.elapsed`. */
  #heardAt = -Infinity;
  /** When the link last came up, by `Clock.elapsed`. */
  #upAt = -Infinity;

  constructor(options: NatsHistoryOptions) {
    this.#options = options;
    const { backbone, limitsOf, widest } = options;
    const { link, names, replicas } = backbone;
    const plan = new HistoryPlan({ names, replicas, widest });
    this.#plan = plan;
    const positionAt = (room: string, seq: number): string => this.#positionAt(room, seq);
    this.#messages = new StoredMessages({
      link,
      names,
      mostOf: (room) => limitsOf(room).historySize + 1,
      holds: () => plan.perSubject,
      positionAt,
    });
    this.#epoch = this.#newEpoch();
    this.#reads = new NatsReads({
      messages: this.#messages,
      limitsOf,
      holds: () => plan.perSubject,
      now: () => link.now(),
      epoch: () => this.#epoch.name,
      positionAt,
      momentOf: (room) => this.#positionAt(room, 0, link.now()),
      stored: (room, record, prev) => this.#stored(room, record, prev),
    });
    link.prepare((live) => this.#epoch.greet(live));
    link.subscribe(names.subject('epoch'), (message) => {
      if (![this.#epoch.name, ''].includes(message.string())) link.reconnect('another history has begun');
    });
    link.whenUp(() => {
      // After so long without the history, messages published since may have expired unnoticed.
      const elapsed = backbone.clock.elapsed();
      if (this.#heardAt < elapsed - POSITION_MS) this.#messages.tails.clear();
      this.#heardAt = elapsed;
      this.#upAt = elapsed;
    });
  }

  /** The pod subscribes this room from now on. */
  begin(room: string): void {
    this.#messages.tails.begin(room);
  }

  end(room: string): void {
    this.#messages.tails.end(room);
  }

  /** Appends a publication. `duplicate`: it was appended before, and `id` is from that time. */
  async append(publication: Publication): Promise<{ id: string; duplicate: boolean }> {
    const { room, key, provisionalId } = publication;
    const existing = (await this.#claimed(publication)) ?? (await this.#sentBefore(publication));
    const { seen } = this.#epoch;
    const { seq, duplicate } =
      existing === undefined ? await this.#publish(publication) : { seq: existing, duplicate: true };
    // Another message had this place before.
    if (!duplicate && seq <= seen) throw this.#goneBack();
    this.#epoch.saw({ seq, provisionalId, placedAt: this.#options.backbone.link.now() });
    const id = this.#positionAt(room, seq);
    if (key !== undefined && !duplicate) this.#options.claims.note(provisionalId, id);
    return { id, duplicate };
  }

  /** The sequence of the room's newest position, 0 if it was empty; undefined if this pod does not know the room. */
  newestSequence(room: string): number | undefined {
    return parsePosition(this.#messages.tails.get(room)?.newest ?? '')?.ms;
  }

  /** Takes a message that came by subscription; undefined if no pod wrote it. */
  received(room: string, { seq, lastSeq, data, slot }: Republished): Stored | undefined {
    const { clock, link } = this.#options.backbone;
    const record = readRecord(seq, data, link.now(), slot);
    this.#epoch.saw(record);
    this.#heardAt = clock.elapsed();
    const prev = this.#messages.received(room, record, lastSeq);
    return record.provisionalId === '' ? undefined : this.#stored(room, record, prev);
  }

  /**
   * The newest message that became the value of its room in this slot, among those that this pod knows and the newest
   * one of the room.
   */
  async newestIn(room: string, slot: LastValueSlot['slot']): Promise<DatedValue | undefined> {
    const last = await this.#messages.last(room);
    const known = this.#messages.tails.get(room)?.entries ?? [];
    const record = last?.slot === slot ? last : known.findLast((one) => one.slot === slot);
    return record === undefined ? undefined : this.#dated(room, record);
  }

  /** The stored message at this position; undefined if it is not stored any more. */
  async at(room: string, id: string): Promise<DatedValue | undefined> {
    const seq = parsePosition(id)?.ms ?? 0;
    const record = await this.#messages.from(room, seq);
    return record?.seq === seq ? this.#dated(room, record) : undefined;
  }

  async newest(room: string): Promise<string> {
    return (await this.read(room, { newest: 0 }, 0)).position;
  }

  async read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const known = this.#messages.tails.get(room)?.last;
    const last = await this.#messages.last(room);
    this.#heardAt = this.#options.backbone.clock.elapsed();
    if (last !== undefined) this.#epoch.saw(last);
    const isOther = last?.provisionalId !== known?.provisionalId;
    if (known !== undefined && isOther && known.seq >= (last?.seq ?? 0)) await this.#explainLoss(room, known);
    return this.#reads.read(room, from, limit, last);
  }

  async #publish({ room, key, provisionalId, trace, body, lastValue }: Publication) {
    if (this.#plan.isOutgrown) await this.#enlarge();
    const at = this.#options.backbone.link.now();
    const record = writeRecord({ at, times: this.#epoch.times, provisionalId, trace, body });
    for (let msgID = provisionalId; ;) {
      const sent = await this.#send(room, record, msgID, lastValue);
      const first =
        sent.duplicate && key !== undefined ? await this.#messages.from(room, sent.seq) : undefined;
      const isFree = first?.seq === sent.seq && first.at <= at - CLAIM_MS;
      if (!isFree) return sent;
      // The first message with the key is old enough, but the server still remembers its id: use another id.
      msgID = `${provisionalId}.${sent.seq}`;
    }
  }

  /** Other rules are in force: makes the stream hold what the widest room may have. */
  async #enlarge(): Promise<void> {
    const { link, log } = this.#options.backbone;
    try {
      await this.#plan.enlarge((plan) => link.call((live) => ensureStream(live, plan)));
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      // The rules hold as far as the stream can hold them. Without this, no message could be stored.
      this.#plan.next();
      log.error({ err: error }, 'NATS refuses a history as large as the rules for rooms allow');
    }
  }

  /** Sends a record, again and again while an earlier copy with the same id is still being stored. */
  async #send(room: string, record: string, msgID: string, lastValue?: LastValueSlot) {
    const { clock, link, names } = this.#options.backbone;
    const until = clock.elapsed() + ANSWER_MS;
    const options = lastValue === undefined ? { msgID } : { msgID, headers: slotHeader(lastValue) };
    for (;;) {
      try {
        return await link.store(names.history(room), record, options);
      } catch (error) {
        if (!isInProcess(error)) throw error;
      }
      if (clock.elapsed() >= until)
        throw natsUnavailable('an earlier copy of the message is still being stored');
      await pause(clock, IN_PROCESS_MS);
    }
  }

  /**
   * The sequence under which a publication with this key was stored before, if it was. Asked only when the server's own
   * memory of ids may not do: a restarted server does not know the ids of messages that were trimmed.
   */
  async #claimed({ key, provisionalId, sentAt }: Publication): Promise<number | undefined> {
    const { backbone, claims } = this.#options;
    if (key === undefined) return undefined;
    if (sentAt === undefined && backbone.clock.elapsed() >= this.#upAt + CLAIM_MS) return undefined;
    const position = parsePosition((await claims.first(provisionalId)) ?? '');
    return position?.epoch === this.#epoch.name ? position.ms : undefined;
  }

  /** The same for a publication that was sent so long ago that the server may have forgotten its id. */
  async #sentBefore({ room, provisionalId, sentAt }: Publication): Promise<number | undefined> {
    const { clock, link } = this.#options.backbone;
    const agoMs = clock.elapsed() - (sentAt ?? Infinity);
    if (agoMs < UNSURE_MS) return undefined;
    const sent = link.now() - agoMs;
    const last = await this.#messages.last(room);
    const all = last === undefined ? [] : await this.#messages.all(room, last);
    return all.find((one) => one.provisionalId === provisionalId && one.at > sent - SENT_SKEW_MS)?.seq;
  }

  /**
   * Whether this pod knows another message at the place of one that came by subscription. Then it is late, or from
   * another history: call `verify` to find out.
   */
  isDoubtful(room: string, { seq, data }: Republished): boolean {
    const tail = this.#messages.tails.get(room);
    if (tail === undefined || seq > (this.newestSequence(room) ?? 0)) return false;
    return tail.entries[tail.indexOf(seq)]?.provisionalId !== readRecord(seq, data, 0).provisionalId;
  }

  /** If the stream is not the history that this pod knows, reconnects and raises Unavailable. */
  async verify(): Promise<void> {
    if (!(await this.#options.backbone.link.call((live) => this.#epoch.isAsKnown(live))))
      throw this.#goneBack();
  }

  #goneBack(): Error {
    const reason = 'the history has gone back';
    this.#options.backbone.link.reconnect(reason);
    return natsUnavailable(reason);
  }

  /** A room has fewer messages than this pod saw: the history went back, or messages expired or were deleted. */
  async #explainLoss(room: string, { at }: HistoryRecord): Promise<void> {
    const { backbone, limitsOf } = this.#options;
    // It has expired.
    if (at <= backbone.link.now() - limitsOf(room).historyTtlMs - POSITION_MS) return;
    await this.verify();
    // The room may have been unsubscribed since; a new tail would never be removed.
    if (this.#messages.tails.get(room) === undefined) return;
    this.#messages.tails.end(room);
    this.#messages.tails.begin(room);
  }

  #newEpoch(): Epoch {
    const { backbone, newEpoch: newName } = this.#options;
    const { clock, log, names, replicas } = backbone;
    const stream = names.stream('history');
    const subject = names.subject('epoch');
    const plan = (): StreamPlan => this.#plan.next();
    const changed = (): void => this.#messages.tails.clear();
    return new Epoch({ stream, plan, replicas, subject, newName, clock, log, changed });
  }

  #positionAt(room: string, seq: number, moment = 0): string {
    return formatPosition({ epoch: this.#epoch.name, tag: roomTag(room), ms: seq, seq: moment });
  }

  #dated(room: string, record: HistoryRecord): DatedValue {
    const { id, body, provisionalId } = this.#stored(room, record, '');
    return { id, body, provisionalId, at: record.at };
  }

  #stored(room: string, record: HistoryRecord, prev: string): Stored {
    const { seq, provisionalId, trace, body } = record;
    // A message from before the history went back keeps the id that clients know.
    const id = formatPosition({ epoch: this.#epoch.nameFor(record), tag: roomTag(room), ms: seq, seq: 0 });
    return { id, prev, body, provisionalId, trace };
  }
}

function slotHeader({ slot }: LastValueSlot): MsgHdrs {
  const made = headers();
  made.set(SLOT_HEADER, slot);
  return made;
}
