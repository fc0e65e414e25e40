import type { Broker, Page, ReadFrom, Stored } from './ports/broker.ts';
import { type Delivery, eventDelivery, observeDeliveries, storedDelivery } from './delivery.ts';
import type { Connection, Membership } from './connection.ts';
import type { Clock } from './ports/clock.ts';
import type { Framer } from './ports/socket.ts';
import { LISTEN } from '../protocol/command.ts';
import type { Missing } from '../protocol/event.ts';
import { RoomBatch } from './room-batch.ts';
import { Sequencer } from './sequencer.ts';
import type { Turn } from './turn.ts';
import { count, type Tally } from './tally.ts';
import type { DeliverySpan, Tracer } from './ports/tracer.ts';

/** How many messages one read of a gap brings at most. */
const GAP_PAGE = 500;

/** What all rooms of a pod share. */
export interface RoomContext {
  readonly broker: Broker;
  readonly framer: Framer;
  readonly turn: Turn;
  readonly clock: Clock;
  readonly tally: Tally;
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
  #batch: Delivery[] = [];
  /** Of the messages in the batch that are traced. */
  #spans: DeliverySpan[] | undefined;
  #opened: Promise<void> | undefined;

  constructor(name: string, context: RoomContext) {
    this.name = name;
    this.#context = context;
    this.#sequencer = new Sequencer({
      readAfter: (position) => context.broker.read(name, { after: position }, GAP_PAGE),
      deliver: (stored) => this.deliver(storedDelivery(stored, context.framer)),
      lost: (missing, replayed) => this.#lost(missing, replayed),
      pause: (attempt) =>
        new Promise((resolve) => context.clock.after(Math.min(100 * 2 ** attempt, 5_000), resolve)),
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

  /** Reads the history; members are brought up to where the page ends before this resolves. */
  async read(from: ReadFrom, limit: number): Promise<Page> {
    const page = await this.#context.broker.read(this.name, from, limit);
    for (const stored of page.messages) this.receive(stored);
    await this.#sequencer.settled();
    return page;
  }

  /** The position of the last message delivered here, once no gap is open. */
  async position(): Promise<string> {
    await this.#sequencer.settled();
    return this.#sequencer.position;
  }

  /** Takes what the broker brought, in whatever order. */
  receive(stored: Stored): void {
    this.#sequencer.accept(stored);
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
      if (member.lag !== undefined) count(this.#context.tally.dropped, 'ephemeral', batch.atMostOnce);
      const parcel = batch.parcelFor(member);
      if (parcel !== undefined) member.connection.send(parcel);
    }
    this.#handedOver(deliveries);
  }

  /** Collects what is delivered from now on; keeps the room open until `release`. */
  capture(): Capture {
    this.flush();
    const capture = { deliveries: [] };
    this.#captures.add(capture);
    return capture;
  }

  release(capture: Capture): void {
    this.#captures.delete(capture);
  }

  /** A member that listens to nothing yet. What was published before must have been flushed. */
  add(connection: Connection): Membership {
    const membership = { connection, room: this, listen: LISTEN.none, present: false, lag: undefined };
    this.#members.add(membership);
    connection.memberships = connection.memberships.concat([membership]);
    return membership;
  }

  remove(membership: Membership): void {
    const { connection } = membership;
    this.#members.delete(membership);
    connection.memberships = connection.memberships.filter((other) => other !== membership);
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
    const at = this.#context.clock.now();
    const event = { kind: 'recovered', room: this.name, recovered: false, reason, replayed, at } as const;
    this.deliver(eventDelivery(event, LISTEN.messages, this.#context.framer));
  }
}
