import type { Broker, Fleeting, Page, ReadFrom, Stored } from '../ports/broker.ts';
import {
  type Delivery,
  eventDelivery,
  observeDeliveries,
  provisionalDelivery,
  storedDelivery,
  tellsLoss,
} from './delivery.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Connection } from './connection.ts';
import { Membership } from './membership.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory } from '../ports/directory.ts';
import type { Framer } from '../ports/socket.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Missing } from '../../protocol/event.ts';
import { pause } from '../base/pause.ts';
import { Provisional } from './provisional.ts';
import { RoomBatch } from './room-batch.ts';
import { isAtOrBefore, Sequencer } from './sequencer.ts';
import { Refused } from '../base/refused.ts';
import type { Turn } from './turn.ts';
import { count, type Tally } from '../base/tally.ts';
import type { DeliverySpan, Tracer } from '../ports/tracer.ts';

/** How many messages one read of a gap brings at most. */
const GAP_PAGE = 500;

/** What all rooms of a pod share. */
export interface RoomContext {
  readonly broker: Broker;
  readonly directory: Directory;
  readonly framer: Framer;
  readonly turn: Turn;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Called when a room's members were told that its history went back or lost something. */
  readonly historyLost?: (() => void) | undefined;
  /** Undefined: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

/** Everything delivered in a room from `Room.capture` on, for somebody who is about to become a member. */
export interface Capture {
  readonly deliveries: Delivery[];
}

/** A room as far as this pod has members in it: who they are, and what is on its way to them. */
export class Room {
  readonly name: string;
  readonly #context: RoomContext;
  readonly #members = new Set<Membership>();
  readonly #captures = new Set<Capture>();
  readonly #sequencer: Sequencer;
  /** Made when there is the first message that history does not have yet. */
  #provisional: Provisional | undefined;
  #batch: Delivery[] = [];
  /** Of the messages in the batch that are traced. */
  #spans: DeliverySpan[] | undefined;
  #opened: Promise<void> | undefined;
  /** Members that are behind or owed history; they keep this right. */
  readers = 0;
  /** How often members were told that messages are missing. */
  #losses = 0;

  constructor(name: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.#sequencer = new Sequencer({
      readAfter: (position) => context.broker.read(name, { after: position, isOurs: true }, GAP_PAGE),
      deliver: (stored) => this.#deliverStored(stored),
      lost: (missing, replayed) => this.#lost(missing, replayed),
      pause: (attempt) => pause(context.clock, Math.min(100 * 2 ** attempt, 5_000)),
    });
  }

  /** Nobody is in it and nobody is about to be. */
  get idle(): boolean {
    return this.#members.size === 0 && this.#captures.size === 0;
  }

  get size(): number {
    return this.#members.size;
  }

  /** The pod no longer needs to hear of it. */
  close(): void {
    this.#context.broker.unsubscribe(this.name);
  }

  /** Resolves once this pod hears what is published in the room. */
  opened(): Promise<void> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      // Whoever comes next tries again.
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<void> {
    await this.#context.broker.subscribe(this.name);
    const { position } = await this.#context.broker.read(this.name, { newest: 0 }, 0);
    this.#sequencer.start(position);
  }

  /**
   * Reads the history; members are brought up to where the page ends before this resolves. Raises `unavailable` where they
   * cannot be at present: whoever was given the page would be given some of it again with them.
   */
  async read(from: ReadFrom, limit: number): Promise<Page> {
    const { position } = this.#sequencer;
    const { losses } = this;
    const page = await this.#context.broker.read(this.name, from, limit);
    for (const stored of page.messages) this.receive(stored);
    // Members here have more than history, which a failover has dropped; or they have not heard what was found out since.
    const wentBack = page.position !== position && isAtOrBefore(page.position, position);
    const isAhead = !isAtOrBefore(page.position, this.#sequencer.position);
    if (!page.more && (wentBack || isAhead)) this.#sequencer.expect(page.position);
    const isWhole = await this.#sequencer.settled();
    // What was found missing is so for whoever asks here, too.
    if (this.losses !== losses) return this.read(from, limit);
    const isReached = isAtOrBefore(page.position, this.#sequencer.position) && !wentBack;
    if (!isWhole && !isReached) throw new Refused('unavailable');
    return page;
  }

  /** The position of the last message delivered here, once no gap is open. */
  async position(): Promise<string> {
    await this.#sequencer.settled();
    return this.#sequencer.position;
  }

  /** Like `position`, also where a gap is open; empty as long as none is known. */
  get lastPosition(): string {
    return this.#sequencer.position;
  }

  members(): Iterable<Membership> {
    return this.#members;
  }

  /** Whether anybody in it listens to that, one bit of LISTEN, or is about to be in it: a capture keeps it for him. */
  isHeard(audience: number): boolean {
    if (this.#captures.size > 0) return true;
    for (const { listen } of this.#members) if ((listen & audience) !== 0) return true;
    return false;
  }

  /** Messages may have been missed; the newest position is this, if it is known. Raises as `opened` does. */
  async renew(newest: string | undefined): Promise<void> {
    if (this.#sequencer.started) this.#sequencer.expect(newest);
    else await this.opened();
  }

  /** Gives the members a message that history will have later, and then not again. */
  deliverProvisionally(message: Fleeting): void {
    this.#provisional ??= new Provisional(() => this.#context.clock.elapsed());
    const delivery = provisionalDelivery(message, this.#context.framer);
    if (this.#provisional.add(message.id, delivery)) this.deliver(delivery);
  }

  /** It will not come by the history, unless it is there as `storedAs` and has not come yet. */
  forgetProvisional(id: string, storedAs?: string): void {
    if (storedAs !== undefined && !isAtOrBefore(storedAs, this.#sequencer.position)) {
      this.#provisional?.expect(id, storedAs);
      return;
    }
    this.#provisional?.land(id);
    if (this.readers === 0) this.#provisional?.forgetOld();
  }

  /** What members have that no history has yet, oldest first; each by its provisional id. */
  provisional(): Iterable<[string, Delivery]> {
    return this.#provisional?.pending(this.#sequencer.position) ?? [];
  }

  /** How often members were told that messages are missing: it may have been said while something was read. */
  get losses(): number {
    return this.#losses;
  }

  /** Somebody comes who is given these by a page of the history. To be called before `moment` is asked for him. */
  gives(messages: readonly Stored[]): void {
    for (const { provisionalId } of messages)
      if (provisionalId !== undefined) this.#provisional?.read(provisionalId);
  }

  /** For `Membership.hearsSince`. */
  get moment(): number {
    return this.#provisional?.moment ?? 0;
  }

  /** Whether a member that is behind or owed history was given the message by its provisional id. */
  wasGiven({ provisionalId }: Stored, { hearsSince }: Membership): boolean {
    return provisionalId !== undefined && (this.#provisional?.wasGiven(provisionalId, hearsSince) ?? false);
  }

  /** Takes what the broker brought, in whatever order. */
  receive(stored: Stored): void {
    this.#sequencer.accept(stored);
  }

  /** Whether a message that was received is delivered, as soon as that is known; see `Receiver.delivered`. */
  delivered(id: string): boolean | Promise<boolean> {
    return !this.#sequencer.holds(id) || this.#sequencer.delivered(id);
  }

  /** Gives it to every member that listens, at the end of this turn of the event loop. */
  deliver(delivery: Delivery): void {
    this.#batch.push(delivery);
    if (delivery.trace !== undefined) this.#follow(delivery.trace);
    if (this.#batch.length === 1) this.#context.turn.addRoom(this);
  }

  /** Hands the members' outboxes what the room has for them so far. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const deliveries = this.#batch;
    const batch = new RoomBatch(this.name, deliveries, this.#context.framer);
    for (const capture of this.#captures) capture.deliveries.push(...deliveries);
    this.#batch = [];
    for (const member of this.#members) {
      if (member.standing === 'behind') this.#passOver(member, batch);
      const parcel = batch.parcelFor(member);
      if (parcel !== undefined) member.connection.send(parcel);
    }
    this.#handedOver(deliveries);
  }

  /** It does not read: what no history holds it never gets. */
  #passOver({ connection }: Membership, batch: RoomBatch): void {
    const { tally, turn } = this.#context;
    count(tally.dropped, 'ephemeral', batch.atMostOnce);
    // History will not bring it again to those who were here. Not at once: the room is in the middle of its members.
    if (batch.isProvisional) turn.addAnswer({ flush: () => connection.close(CLOSE.overload) });
  }

  /** Collects what is delivered from now on; keeps the room open until `release`. */
  capture(): Capture {
    this.flush();
    const capture = { deliveries: [] };
    this.#captures.add(capture);
    return capture;
  }

  /** Whoever has just read the history was told by it what is missing, whatever the members were told before. */
  forgetLosses(capture: Capture): void {
    const kept = capture.deliveries.filter((delivery) => !tellsLoss(delivery));
    capture.deliveries.splice(0, capture.deliveries.length, ...kept);
  }

  release(capture: Capture): void {
    this.#captures.delete(capture);
  }

  /** A member that listens to nothing yet. What was published before must have been flushed. */
  add(connection: Connection): Membership {
    const membership = new Membership(connection, this);
    this.#members.add(membership);
    this.#context.directory.changed(this.name);
    connection.memberships = connection.memberships.concat([membership]);
    return membership;
  }

  remove(connection: Connection, membership: Membership): void {
    membership.abandon();
    this.#members.delete(membership);
    this.#context.directory.changed(this.name);
    connection.memberships = connection.memberships.filter((other) => other !== membership);
  }

  #deliverStored(stored: Stored): void {
    const delivery = storedDelivery(stored, this.#context.framer);
    if (stored.provisionalId === undefined || !this.#provisional?.land(stored.provisionalId)) {
      this.deliver(delivery);
      return;
    }
    // The members have it. Whoever is about to be one may not.
    this.flush();
    for (const capture of this.#captures) capture.deliveries.push(delivery);
    if (this.readers === 0) this.#provisional.forgetOld();
  }

  #follow(trace: string): void {
    const span = this.#context.tracer?.deliver(trace, 'room');
    if (span !== undefined) (this.#spans ??= []).push(span);
  }

  /** For the books: the members' outboxes have it. */
  #handedOver(deliveries: readonly Delivery[]): void {
    const { clock, tally } = this.#context;
    if (this.size > 0) observeDeliveries(deliveries, clock.now(), tally);
    if (this.#spans === undefined) return;
    for (const span of this.#spans) span.end(this.size);
    this.#spans = undefined;
  }

  #lost(reason: Missing, replayed: number): void {
    this.#losses += 1;
    if (reason === 'history_lost') this.#context.historyLost?.();
    const at = this.#context.clock.now();
    const event = { kind: 'recovered', room: this.name, recovered: false, reason, replayed, at } as const;
    this.deliver(eventDelivery(event, LISTEN.messages, this.#context.framer));
  }
}
