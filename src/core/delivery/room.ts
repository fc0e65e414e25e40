import { count, type Tally } from '../base/tally.ts';
import { type Delivery, eventDelivery, observeDeliveries, tellsLoss } from './delivery.ts';
import type { DeliverySpan, Tracer } from '../ports/tracer.ts';
import type { Broker } from '../ports/broker.ts';
import { CLOSE } from '../../protocol/close-codes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Connection } from './connection.ts';
import type { Directory } from '../ports/directory.ts';
import type { Framer } from '../ports/socket.ts';
import { LISTEN } from '../../protocol/command.ts';
import { Membership } from './membership.ts';
import type { Missing } from '../../protocol/event.ts';
import type { RecentPages } from './recent-pages.ts';
import { RoomBatch } from './room-batch.ts';
import { RoomHistory, type RoomOutput } from './room-history.ts';
import type { RoomRule, RoomRules } from '../ports/room-rules.ts';
import type { Timestamps } from '../base/timestamps.ts';
import type { Turn } from './turn.ts';

/** What all rooms of a pod share. */
export interface RoomContext {
  readonly broker: Broker;
  readonly directory: Directory;
  readonly framer: Framer;
  readonly recentPages: RecentPages;
  readonly turn: Turn;
  readonly rules: RoomRules;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly timestamps: Timestamps;
  /** Called when the members were told that the history went back or lost something. */
  readonly historyLost?: (() => void) | undefined;
  /** Undefined while tracing is off. */
  readonly tracer?: Tracer | undefined;
}

/** Everything delivered in a room since `Room.capture`, for a connection that is about to become a member. */
export interface Capture {
  readonly deliveries: Delivery[];
}

/** A room on this pod: its members here, and what is on its way to them. */
export class Room implements RoomOutput {
  readonly name: string;
  readonly history: RoomHistory;
  readonly #context: RoomContext;
  readonly #members = new Set<Membership>();
  readonly #captures = new Set<Capture>();
  #rule: RoomRule;
  /** What waits for the end of the turn. */
  #batch: Delivery[] | undefined;
  /** Of the traced messages in the batch. */
  #spans: DeliverySpan[] | undefined;
  /** Members that are behind or owed history; the memberships count themselves. */
  readers = 0;

  constructor(name: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.#rule = context.rules.ruleOf(name);
    this.history = new RoomHistory(this, context);
  }

  get recentPages(): RecentPages {
    return this.#context.recentPages;
  }

  /** What holds for the room. */
  get rule(): RoomRule {
    return this.#rule;
  }

  /** Obeys the rule that is in force now; `silenced` if it has just switched presence off. */
  takeRule(): 'silenced' | undefined {
    const before = this.#rule;
    this.#rule = this.#context.rules.ruleOf(this.name);
    return before.presence && !this.#rule.presence ? 'silenced' : undefined;
  }

  /** It has no member, and no connection is about to become one. */
  get idle(): boolean {
    return this.#members.size === 0 && this.#captures.size === 0;
  }

  get size(): number {
    return this.#members.size;
  }

  /** The pod no longer needs what is published in it. */
  close(): void {
    this.#context.broker.unsubscribe(this.name);
  }

  members(): Iterable<Membership> {
    return this.#members;
  }

  /** Whether a member listens to `audience`, one bit of LISTEN, or a capture collects for one that may. */
  hasListener(audience: number): boolean {
    if (this.#captures.size > 0) return true;
    for (const { listen } of this.#members) if ((listen & audience) !== 0) return true;
    return false;
  }

  /** Delivers to every member that listens, at the end of this turn of the event loop. */
  deliver(delivery: Delivery): void {
    if (delivery.trace !== undefined) this.#follow(delivery.trace);
    if (this.#batch !== undefined) this.#batch.push(delivery);
    else {
      this.#batch = [delivery];
      this.#context.turn.addRoom(this);
    }
  }

  deliverToCaptures(delivery: Delivery): void {
    this.flush();
    for (const capture of this.#captures) capture.deliveries.push(delivery);
  }

  /** Hands the batch to the outboxes of the members. `isAlone`: no other room has anything in this turn. */
  flush(isAlone = false): void {
    const deliveries = this.#batch;
    if (deliveries === undefined) return;
    const batch = new RoomBatch(this.name, deliveries, this.#context.framer);
    for (const capture of this.#captures) capture.deliveries.push(...deliveries);
    this.#batch = undefined;
    // `for` of a Set allocates for each member.
    this.#members.forEach((member) => {
      if (member.standing === 'behind') this.#passOver(member, batch);
      const parcel = batch.parcelFor(member);
      if (parcel === undefined) return;
      if (isAlone) member.connection.sendAlone(parcel);
      else member.connection.send(parcel);
    });
    this.#handedOver(deliveries);
  }

  /** A member that is behind never gets what no history stores. */
  #passOver({ connection }: Membership, batch: RoomBatch): void {
    const { tally, turn } = this.#context;
    count(tally.dropped, 'ephemeral', batch.atMostOnce);
    // History will not bring a provisional message again to this member. Closed later: the room is amid its members.
    if (batch.isProvisional) turn.addAnswer({ flush: () => connection.close(CLOSE.overload) });
  }

  /** Collects what is delivered from now on; keeps the room open until `release`. */
  capture(): Capture {
    this.flush();
    const capture = { deliveries: [] };
    this.#captures.add(capture);
    return capture;
  }

  /** A reader of the history learned from it what is missing, whatever the members were told before. */
  forgetLosses(capture: Capture): void {
    const rest = capture.deliveries.filter((delivery) => !tellsLoss(delivery));
    capture.deliveries.splice(0, capture.deliveries.length, ...rest);
  }

  release(capture: Capture): void {
    this.#captures.delete(capture);
  }

  /** Adds a member that listens to nothing yet. The caller must have flushed what was published before. */
  add(connection: Connection): Membership {
    const membership = new Membership(connection, this);
    this.#members.add(membership);
    this.#context.directory.changed(this.name);
    connection.addMembership(membership);
    return membership;
  }

  remove(connection: Connection, membership: Membership): void {
    membership.abandon();
    this.#members.delete(membership);
    this.#context.directory.changed(this.name);
    connection.removeMembership(membership);
  }

  #follow(trace: string): void {
    const span = this.#context.tracer?.deliver(trace, 'room');
    if (span !== undefined) (this.#spans ??= []).push(span);
  }

  /** Counts and traces what the outboxes of the members have now. */
  #handedOver(deliveries: readonly Delivery[]): void {
    if (this.size > 0) observeDeliveries(deliveries, this.#context);
    if (this.#spans === undefined) return;
    for (const span of this.#spans) span.end(this.size);
    this.#spans = undefined;
  }

  tellLoss(reason: Missing, replayed: number): void {
    if (reason === 'history_lost') this.#context.historyLost?.();
    const at = this.#context.clock.now();
    const event = { kind: 'recovered', room: this.name, recovered: false, reason, replayed, at } as const;
    this.deliver(eventDelivery(event, LISTEN.messages, this.#context.framer));
  }
}
