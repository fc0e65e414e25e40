import type {
  Broker,
  Fleeting,
  LastValue,
  LastValueSlot,
  Note,
  Page,
  Published,
  PublishOptions,
  ReadFrom,
  Receiver,
  Stored,
  Trouble,
} from '../../core/ports/broker.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import { nameOfFleeting, nameOfNote } from '../shared/claims.ts';
import { Dispatch } from '../shared/dispatch.ts';
import { NatsHistory, type Republished } from './history/history.ts';
import type { Publication } from '../shared/publication.ts';
import { readEnvelope, writeFleeting, writeNote } from '../shared/envelope.ts';
import { ReorderBuffer } from './history/reorder-buffer.ts';
import { Unavailable } from '../shared/unavailable.ts';
import { Comparison } from '../shared/comparison.ts';
import type { NatsBackbone } from './connection/backbone.ts';
import { NatsLastValues } from './history/last-values.ts';
import { SLOT_HEADER } from './history/record.ts';
import { NatsClaims } from './history/claims.ts';

export interface NatsBrokerOptions {
  readonly backbone: NatsBackbone;
  readonly limitsOf: (room: string) => HistoryLimits;
  /** The largest limits of all rooms, as of now. */
  readonly widest: () => HistoryLimits;
  /** So many publications may wait while NATS is unavailable. */
  readonly bufferMessages: number;
  /** For the publications that wait and the known idempotency keys together. */
  readonly memoryBytes: number;
  /** The largest message that a client may send. */
  readonly maxMessageBytes: number;
  /** Makes unique ids for messages that have no position. */
  readonly newName: () => string;
  /** Makes a unique name of a history: lower-case letters and digits. */
  readonly newEpoch: () => string;
}

/** A message on the subject of a room. */
interface Received {
  readonly data: Uint8Array;
  readonly headers?: { get(name: string): string } | undefined;
}

/** The most bytes of metadata with a body: ids, times, the trace. */
const AROUND = 384;

/** So many messages are read when a publication did not come by subscription. */
const PAGE = 500;

/**
 * The broker on NATS. JetStream stores the history and publishes stored messages to the pods. What cannot be sent
 * waits.
 */
export class NatsBroker implements Broker {
  readonly #options: NatsBrokerOptions;
  readonly #history: NatsHistory;
  readonly #lastValues: NatsLastValues;
  readonly #reorder: ReorderBuffer;
  readonly #dispatch: Dispatch;
  readonly #comparison: Comparison;
  readonly #rooms = new Set<string>();
  /** Ends the subscription of each room. */
  readonly #unsubscribe = new Map<string, () => void>();
  #receiver: Receiver | undefined;
  /** The limit that was logged last. */
  #warned = Infinity;

  constructor(options: NatsBrokerOptions) {
    this.#options = options;
    const { backbone, limitsOf, newEpoch, widest } = options;
    const { clock, link, log, names } = backbone;
    const claims = new NatsClaims(backbone);
    this.#history = new NatsHistory({ backbone, claims, limitsOf, widest, newEpoch });
    this.#lastValues = new NatsLastValues({ backbone, history: this.#history, widest });
    this.#reorder = new ReorderBuffer({
      clock,
      newest: (room) => this.#history.newestSequence(room),
      pass: (room, arrival) => this.#takeMessage(room, arrival),
    });
    this.#dispatch = new Dispatch({
      ...options,
      clock,
      log,
      appender: {
        // JetStream may lose one publication and store the next.
        mostInFlight: 1,
        queueOf: (room) => room,
        destinationOf: () => '',
        reaches: () => link.up,
        now: () => clock.elapsed(),
        append: (publication, settle) => void this.#append(publication).then(settle, settle),
      },
      claim: (_room, name, id) => claims.claim(name, id),
      claimed: (_room, name) => claims.first(name),
    });
    this.#comparison = new Comparison({
      clock,
      log,
      rooms: this.#rooms,
      newestOf: (rooms) =>
        Promise.all(rooms.map(async (room) => [room, await this.#history.newest(room)] as const)),
      newest: (room, position) => this.#receiver?.newest(room, position),
    });
    link.subscribe(names.global, ({ data }) => this.#takeNote(data));
    // The former leader may have stored messages that it did not publish to the pods.
    link.subscribe(names.leaderElected('history'), () => this.#comparison.begin(() => true));
    link.whenUp(() => this.#warnOfLimit());
    link.whenUp(() => this.#resume());
  }

  get available(): boolean {
    return this.#options.backbone.link.up;
  }

  reaches(): boolean {
    return this.available;
  }

  now(): number {
    return this.#options.backbone.link.now();
  }

  troubles(): readonly Trouble[] {
    return this.#options.backbone.link.troubles();
  }

  /** Publications that wait for NATS. */
  get waiting(): number {
    return this.#dispatch.waiting;
  }

  /** Attempts to publish that NATS did not take. */
  get failures(): number {
    return this.#dispatch.failures;
  }

  /** Whether this pod has subscribed the room. */
  isSubscribed(room: string): boolean {
    return this.#rooms.has(room);
  }

  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    this.#dispatch.start(receiver);
    this.#comparison.start();
    await this.#options.backbone.start();
  }

  /** Publications that wait are still sent, if NATS comes back within five seconds. */
  async stop(): Promise<void> {
    await this.#dispatch.stop();
    this.#receiver = undefined;
    await this.#options.backbone.stop();
  }

  /** As `Broker.requireFits`, by the limit that the server has named. */
  requireFits(text: string, id = ''): void {
    const { payload } = this.#options.backbone.link;
    payload.require(Buffer.byteLength(text) + encodeURIComponent(id).length + AROUND);
  }

  async publish(room: string, body: string, options?: PublishOptions): Promise<Published> {
    // While NATS is unavailable, this pod's members would get it provisionally, and then no history could store it.
    this.requireFits(body);
    return this.#dispatch.publish(room, body, options);
  }

  async tell(room: string, message: Fleeting, lastValue?: LastValueSlot): Promise<void> {
    const { names, pod } = this.#options.backbone;
    const name = nameOfFleeting(room, message);
    await this.#broadcast(names.room(room), writeFleeting({ origin: pod, name }, message));
    if (lastValue !== undefined) await this.#lastValues.set(room, lastValue, message);
  }

  lastValue(room: string, slot: LastValueSlot): Promise<LastValue | undefined> {
    return this.#lastValues.get(room, slot);
  }

  tellAll(note: Note): Promise<void> {
    const { names, pod } = this.#options.backbone;
    return this.#broadcast(names.global, writeNote({ origin: pod, name: nameOfNote(note) }, note));
  }

  claimed(room: string, key: string): Promise<string | undefined> {
    return this.#dispatch.claimed(room, key);
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return this.#dispatch.claim(room, key, id);
  }

  async subscribe(room: string): Promise<void> {
    const { link, names } = this.#options.backbone;
    if (!this.#rooms.has(room)) {
      this.#rooms.add(room);
      this.#history.begin(room);
      const end = link.subscribe(names.room(room), (arrival) => this.#take(room, arrival));
      this.#unsubscribe.set(room, end);
    }
    await link.confirmed();
  }

  unsubscribe(room: string): void {
    this.#rooms.delete(room);
    this.#history.end(room);
    this.#reorder.forget(room);
    this.#unsubscribe.get(room)?.();
    this.#unsubscribe.delete(room);
  }

  async read(room: string, from: ReadFrom, limit: number): Promise<Page> {
    const page = await this.#history.read(room, from, limit);
    for (const stored of page.messages) this.#dispatch.learned(stored);
    return page;
  }

  async #append(publication: Publication): Promise<Published> {
    const published = await this.#history.append(publication);
    if (publication.lastValue !== undefined) await this.#lastValues.keep(publication, published);
    if (!published.duplicate) await this.#delivered(publication, published.id);
    return published;
  }

  /** Resolves once this pod's room has the message: it came by subscription, or is read from the history. */
  async #delivered({ room, provisionalId }: Publication, id: string): Promise<void> {
    if (!this.#rooms.has(room)) return;
    const heard = await new Promise((resolve) => this.#dispatch.whenHeard(provisionalId, resolve));
    if (heard !== undefined) return;
    const { link, names } = this.#options.backbone;
    // The other pods may have missed it too: an empty message makes them compare the room.
    link.publish(names.room(room), '');
    await this.#read(room, id);
  }

  /** Reads the newest messages, up to this position. */
  async #read(room: string, id: string): Promise<void> {
    const { messages } = await this.#history.read(room, { newest: PAGE }, PAGE);
    for (const stored of messages) this.#receiver?.message(room, stored);
    if (messages.every((stored) => stored.id !== id)) this.#receiver?.newest(room, id);
  }

  async #broadcast(subject: string, text: string): Promise<void> {
    this.#options.backbone.link.publish(subject, text);
    return Promise.resolve();
  }

  #take(room: string, { data, headers }: Received): void {
    const seq = headers?.get('Nats-Sequence') ?? '';
    if (seq !== '') {
      const lastSeq = Number(headers?.get('Nats-Last-Sequence'));
      const slot = headers?.get(SLOT_HEADER) ?? '';
      this.#reorder.take(room, { seq: Number(seq), lastSeq, data, slot });
      return;
    }
    if (data.length === 0) {
      void this.#compare(room);
      return;
    }
    const envelope = readEnvelope(bufferOf(data));
    if (envelope?.kind !== 'fleeting' || this.#isOwn(envelope.origin)) return;
    const { name, message } = envelope;
    if (this.#dispatch.isNew(name, message)) this.#receiver?.fleeting(room, message);
  }

  #takeMessage(room: string, arrival: Republished): void {
    if (this.#history.isDoubtful(room, arrival)) {
      void this.#compare(room, true);
      return;
    }
    const stored: Stored | undefined = this.#history.received(room, arrival);
    if (stored === undefined) return;
    this.#receiver?.message(room, stored);
    this.#dispatch.heard(stored);
  }

  /** Compares a room whose messages may be missing; `inDoubt`: whether it is the same history is not known. */
  async #compare(room: string, inDoubt = false): Promise<void> {
    try {
      if (inDoubt) await this.#history.verify();
      const newest = await this.#history.newest(room);
      if (this.#rooms.has(room)) this.#receiver?.newest(room, newest);
    } catch (error) {
      if (!(error instanceof Unavailable))
        this.#options.backbone.log.error({ err: error }, 'a room could not be compared with its history');
    }
  }

  #resume(): void {
    this.#comparison.begin(() => true);
    this.#dispatch.resume(() => true);
  }

  /** Logs that NATS takes smaller messages than clients may send. */
  #warnOfLimit(): void {
    const { backbone, maxMessageBytes } = this.#options;
    const mostBytes = backbone.link.payload.most;
    if (mostBytes >= maxMessageBytes + AROUND || mostBytes === this.#warned) return;
    this.#warned = mostBytes;
    const fields = { mostBytes, MAX_MESSAGE_BYTES: maxMessageBytes };
    backbone.log.warn(fields, 'NATS takes smaller messages than clients may send; larger ones are rejected');
  }

  #takeNote(data: Uint8Array): void {
    const envelope = readEnvelope(bufferOf(data));
    if (envelope?.kind !== 'note' || this.#isOwn(envelope.origin)) return;
    const { name, note } = envelope;
    if (this.#dispatch.isNew(name, note)) this.#receiver?.note(note);
  }

  #isOwn(origin: string): boolean {
    return origin === this.#options.backbone.pod;
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
