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
import { nameOfFleeting, nameOfNote } from '../shared/claims.ts';
import { CLAIM_MS } from '../shared/terms.ts';
import { Dispatch } from '../shared/dispatch.ts';
import {
  type Envelope,
  type FleetingEnvelope,
  type NoteEnvelope,
  writeFleeting,
  writeNote,
} from '../shared/envelope.ts';
import type { Publication } from '../shared/publication.ts';
import type { Appended } from '../shared/appender.ts';
import { type Script, scriptsIn } from './connection/script.ts';
import { HISTORY_SCRIPTS, RedisHistory } from './history/history.ts';
import type { HistoryLimits } from '../../core/ports/room-rules.ts';
import { RedisLastValues } from './history/last-values.ts';
import type { Backbone } from './connection/backbone.ts';
import { Comparison } from '../shared/comparison.ts';

const CLAIM = scriptsIn('history')('claim');
const CLAIMED = scriptsIn('history')('claimed');
export const BROKER_SCRIPTS: readonly Script[] = [CLAIM, CLAIMED, ...HISTORY_SCRIPTS];

export interface RedisBrokerOptions {
  readonly backbone: Backbone;
  readonly limitsOf: (room: string) => HistoryLimits;
  /** Publications that may wait while Redis is unavailable. */
  readonly bufferMessages: number;
  /** Limit for waiting publications and remembered idempotency keys. */
  readonly memoryBytes: number;
  /** Gives unique ids for messages that have no position. */
  readonly newName: () => string;
}

/**
 * The broker of many pods: the history is in Redis, and messages travel by PUBLISH. What cannot be sent waits
 * (dispatch.ts).
 */
export class RedisBroker implements Broker {
  readonly #options: RedisBrokerOptions;
  readonly #history: RedisHistory;
  readonly #lastValues: RedisLastValues;
  readonly #dispatch: Dispatch;
  readonly #comparison: Comparison;
  readonly #rooms = new Set<string>();
  #receiver: Receiver | undefined;

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    const { backbone, limitsOf } = options;
    const { clock, keys, log, placement } = backbone;
    this.#history = new RedisHistory({ backbone, limitsOf });
    this.#lastValues = new RedisLastValues(backbone);
    this.#dispatch = new Dispatch({
      ...options,
      clock,
      log,
      appender: {
        mostInFlight: Number.MAX_SAFE_INTEGER,
        queueOf: (room) => placement.slotOf(room),
        destinationOf: (room) => placement.shardOfRoom(room).connection,
        reaches: (room) => this.reaches(room),
        now: (room) => placement.shardOfRoom(room).now(),
        append: (publication, settle) => this.#append(publication, settle),
      },
      claim: (room, name, id) => this.#claim(keys.claim(room, name), id),
      claimed: (room, name) => this.#claimed(keys.claim(room, name)),
      acknowledged: (room, id) => this.#history.acknowledged(room, id),
    });
    backbone.listen((room, envelope) => this.#take(room, envelope));
    this.#comparison = new Comparison({
      clock,
      log,
      rooms: this.#rooms,
      verify: () => this.#history.verify(),
      newestOf: (rooms) => this.#history.newest(rooms),
      newest: (room, position) => this.#receiver?.newest(room, position),
    });
    placement.whenSubscribed((isAffected) =>
      this.#comparison.begin((room) => isAffected(keys.roomChannel(room))),
    );
    placement.whenUp((isAffected) => this.#dispatch.resume((room) => isAffected(keys.roomChannel(room))));
  }

  get available(): boolean {
    return this.#options.backbone.placement.up;
  }

  reaches(room: string): boolean {
    return this.#options.backbone.placement.shardOfRoom(room).up;
  }

  now(room: string): number {
    return this.#options.backbone.placement.shardOfRoom(room).now();
  }

  troubles(): readonly Trouble[] {
    return this.#options.backbone.placement.troubles();
  }

  /** Publications that wait for Redis. */
  get waiting(): number {
    return this.#dispatch.waiting;
  }

  /** Attempts to publish that failed. */
  get failures(): number {
    return this.#dispatch.failures;
  }

  async start(receiver: Receiver): Promise<void> {
    this.#receiver = receiver;
    this.#dispatch.start(receiver);
    this.#comparison.start();
    await this.#options.backbone.start();
  }

  /** Waiting publications are still sent if Redis comes back within five seconds. */
  async stop(): Promise<void> {
    await this.#dispatch.stop();
    this.#receiver = undefined;
    this.#options.backbone.stop();
  }

  publish(room: string, body: string, options?: PublishOptions): Promise<Published> {
    return this.#dispatch.publish(room, body, options);
  }

  async tell(room: string, message: Fleeting, lastValue?: LastValueSlot): Promise<void> {
    if (lastValue !== undefined) await this.#lastValues.set(room, lastValue, message);
    const { keys, pod } = this.#options.backbone;
    const name = nameOfFleeting(room, message);
    await this.#broadcast(keys.roomChannel(room), writeFleeting({ origin: pod, name }, message));
  }

  async tellAll(note: Note): Promise<void> {
    const { keys, pod } = this.#options.backbone;
    await this.#broadcast(keys.globalChannel, writeNote({ origin: pod, name: nameOfNote(note) }, note));
  }

  lastValue(room: string, slot: LastValueSlot): Promise<LastValue | undefined> {
    return this.#lastValues.get(room, slot);
  }

  claimed(room: string, key: string): Promise<string | undefined> {
    return this.#dispatch.claimed(room, key);
  }

  claim(room: string, key: string, id: string): Promise<string> {
    return this.#dispatch.claim(room, key, id);
  }

  async subscribe(room: string): Promise<void> {
    const { keys, placement } = this.#options.backbone;
    this.#rooms.add(room);
    await placement.channels.subscribe(keys.roomChannel(room));
  }

  unsubscribe(room: string): void {
    const { keys, placement } = this.#options.backbone;
    this.#rooms.delete(room);
    placement.channels.unsubscribe(keys.roomChannel(room));
  }

  async read(room: string, from: ReadFrom, limit: number, known: readonly Stored[] = []): Promise<Page> {
    const page = await this.#history.read(room, from, limit, this.#rooms.has(room), known);
    for (const stored of page.messages) this.#dispatch.learned(stored);
    return page;
  }

  #append(publication: Publication, settle: (appended: Appended) => void): void {
    this.#history.append(publication, (added) => {
      if (added instanceof Error) settle(added);
      else if (added.prev === undefined) settle({ id: added.id, duplicate: true });
      else this.#added(publication, added.id, added.prev, settle);
    });
  }

  /** Calls `settle` once this pod's room has the message. */
  #added(publication: Publication, id: string, prev: string, settle: (appended: Appended) => void): void {
    const { room, body, provisionalId, trace } = publication;
    const { keys, placement } = this.#options.backbone;
    const end = (heard: string | undefined): void => {
      if (heard === undefined && this.#rooms.has(room))
        this.#receiver?.message(room, { id, prev, body, provisionalId, trace });
      settle({ id, duplicate: false });
    };
    if (placement.channels.isSubscribed(keys.roomChannel(room))) this.#dispatch.whenHeard(provisionalId, end);
    else end(undefined);
  }

  async #claimed(claim: string): Promise<string | undefined> {
    const first = await this.#options.backbone.placement.shardOf(claim).call(CLAIMED, [claim], []);
    return typeof first === 'string' ? first : undefined;
  }

  async #claim(claim: string, id: string): Promise<string> {
    const { placement } = this.#options.backbone;
    return String(await placement.shardOf(claim).call(CLAIM, [claim], [id, CLAIM_MS]));
  }

  async #broadcast(channel: string, text: string): Promise<void> {
    await this.#options.backbone.placement.shardOf(channel).publish(channel, text);
  }

  #take(room: string | undefined, envelope: Envelope): void {
    if (envelope.kind === 'message' && room !== undefined) this.#takeMessage(room, envelope.stored);
    else if (envelope.kind === 'fleeting' && room !== undefined) this.#takeFleeting(room, envelope);
    else if (envelope.kind === 'note') this.#takeNote(envelope);
  }

  #takeFleeting(room: string, { origin, name, message }: FleetingEnvelope): void {
    if (this.#isOwn(origin) || !this.#dispatch.isNew(name, message)) return;
    if (this.#rooms.has(room)) this.#receiver?.fleeting(room, message);
  }

  #takeNote({ origin, name, note }: NoteEnvelope): void {
    if (!this.#isOwn(origin) && this.#dispatch.isNew(name, note)) this.#receiver?.note(note);
  }

  #takeMessage(room: string, stored: Stored): void {
    // After `unsubscribe` messages still arrive until Redis has processed it.
    if (this.#rooms.has(room)) this.#receiver?.message(room, stored);
    this.#dispatch.heard(stored);
  }

  #isOwn(origin: string): boolean {
    return origin === this.#options.backbone.pod;
  }
}
