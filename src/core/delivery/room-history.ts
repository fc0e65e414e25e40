import type { Broker, Fleeting, Page, ReadFrom, Stored } from '../ports/broker.ts';
import { type Delivery, provisionalDelivery, storedDelivery } from './delivery.ts';
import { isAtOrBefore, Sequencer, type SequencerRoom } from './sequencer.ts';
import type { Clock } from '../ports/clock.ts';
import type { Framer } from '../ports/socket.ts';
import type { Membership } from './membership.ts';
import type { Missing } from '../../protocol/event.ts';
import { Provisional } from './provisional.ts';
import type { RecentPages } from './recent-pages.ts';
import { Refused } from '../base/refused.ts';
import { pause } from '../base/pause.ts';

/** How many messages one read of a gap brings at most. */
const GAP_PAGE = 500;

interface RoomHistoryContext {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly framer: Framer;
  readonly recentPages: RecentPages;
}

/** What the history of a room needs of the room on this pod. */
export interface RoomOutput {
  readonly name: string;
  /** How many members are behind or owed history. */
  readonly readers: number;
  /** Delivers to the members. */
  deliver(delivery: Delivery): void;
  /** Notes a message that the members have already, for connections that are about to become members. */
  deliverToCaptures(delivery: Delivery): void;
  /** Tells the members that messages are missing; `replayed` messages follow in this turn. */
  tellLoss(missing: Missing, replayed: number): void;
}

/** The history of one room as this pod follows it: the order of its messages, and those that it does not store yet. */
export class RoomHistory implements SequencerRoom {
  readonly #context: RoomHistoryContext;
  readonly #room: RoomOutput;
  readonly #sequencer: Sequencer;
  /** Created with the first message that the history does not store yet. */
  #provisional: Provisional | undefined;
  #opened: Promise<void> | undefined;
  #losses = 0;

  constructor(room: RoomOutput, context: RoomHistoryContext) {
    this.#room = room;
    this.#context = context;
    this.#sequencer = new Sequencer(this);
  }

  /** Resolves once this pod receives what is published in the room. Raises `unavailable`; the next call tries again. */
  opened(): Promise<void> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  async #open(): Promise<void> {
    const { broker } = this.#context;
    await broker.subscribe(this.#room.name);
    const { position } = await broker.read(this.#room.name, { newest: 0 }, 0);
    this.#sequencer.start(position);
  }

  /**
   * Reads a page, and brings the members up to the end of the page before it resolves. Raises `unavailable` if that is
   * impossible now: a client that was given the page would get parts of it again together with the members.
   */
  async read(from: ReadFrom, limit: number): Promise<Page> {
    const { position } = this.#sequencer;
    const { losses } = this;
    const { broker, recentPages } = this.#context;
    const page = await broker.read(this.#room.name, from, limit, recentPages.messages(this.#room.name));
    // Each message of a page that ends at or before the last delivered one would be dropped by itself.
    if (!isAtOrBefore(page.position, this.#sequencer.position))
      for (const stored of page.messages) this.receive(stored);
    // The members have more than the history, which a failover dropped; or they lack what was stored since.
    const wentBack = page.position !== position && isAtOrBefore(page.position, position);
    const isAhead = !isAtOrBefore(page.position, this.#sequencer.position);
    if (!page.more && (wentBack || isAhead)) this.#sequencer.expect(page.position);
    const isWhole = await this.#sequencer.settled();
    // What the room found to be missing is missing for this reader, too.
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

  /** Like `position`, but does not wait for a gap to close; empty until one is known. */
  get lastPosition(): string {
    return this.#sequencer.position;
  }

  /**
   * Reads what the pod may have missed; `newest` is the newest position of the room, if it is known. Raises as `opened`
   * does.
   */
  async bringUpToDate(newest: string | undefined): Promise<void> {
    if (this.#sequencer.started) this.#sequencer.expect(newest);
    else await this.opened();
  }

  /** Takes what the broker brought, in any order. */
  receive(stored: Stored): void {
    this.#sequencer.accept(stored);
  }

  /** Whether a received message is delivered, as soon as that is known (see `Receiver.delivered`). */
  delivered(id: string): boolean | Promise<boolean> {
    return !this.#sequencer.holds(id) || this.#sequencer.delivered(id);
  }

  /** Delivers a message that the history will store later; it is not delivered to the same members again then. */
  deliverProvisionally(message: Fleeting): void {
    this.#provisional ??= new Provisional(() => this.#context.clock.elapsed());
    const delivery = provisionalDelivery(message, this.#context.framer);
    if (this.#provisional.add(message.id, delivery)) this.#room.deliver(delivery);
  }

  /** The history will not bring the message, unless it is stored as `storedAs` and has not come yet. */
  forgetProvisional(id: string, storedAs?: string): void {
    if (storedAs !== undefined && !isAtOrBefore(storedAs, this.#sequencer.position)) {
      this.#provisional?.expect(id, storedAs);
      return;
    }
    this.#provisional?.land(id);
    this.#forgetOld();
  }

  /** Messages that the members have and no history stores yet, oldest first, by provisional id. */
  provisional(): Iterable<[string, Delivery]> {
    return this.#provisional?.pending(this.#sequencer.position) ?? [];
  }

  /** How often the members were told that messages are missing; it may change while something is read. */
  get losses(): number {
    return this.#losses;
  }

  /** A connection that becomes a member is given these by a page. Must be called before `moment` is read for it. */
  gives(messages: readonly Stored[]): void {
    if (this.#provisional === undefined) return;
    for (const { provisionalId } of messages)
      if (provisionalId !== undefined) this.#provisional.read(provisionalId);
  }

  /** For `Membership.hearsSince`. */
  get moment(): number {
    return this.#provisional?.moment ?? 0;
  }

  /** Whether a member that is behind or owed history already got the message provisionally. */
  wasGiven({ provisionalId }: Stored, { hearsSince }: Membership): boolean {
    return provisionalId !== undefined && (this.#provisional?.wasGiven(provisionalId, hearsSince) ?? false);
  }

  readAfter(position: string): Promise<Page> {
    return this.#context.broker.read(this.#room.name, { after: position, isOurs: true }, GAP_PAGE);
  }

  pause(attempt: number): Promise<void> {
    return pause(this.#context.clock, Math.min(100 * 2 ** attempt, 5_000));
  }

  lost(missing: Missing, replayed: number): void {
    this.#losses += 1;
    this.#room.tellLoss(missing, replayed);
  }

  deliver(stored: Stored): void {
    const delivery = storedDelivery(stored, this.#context.framer);
    if (stored.provisionalId === undefined || !this.#provisional?.land(stored.provisionalId)) {
      this.#room.deliver(delivery);
      return;
    }
    // The members have it. A connection that is about to become a member may not.
    this.#room.deliverToCaptures(delivery);
    this.#forgetOld();
  }

  /** A member that reads the history later still needs to know what it was given provisionally. */
  #forgetOld(): void {
    if (this.#room.readers === 0) this.#provisional?.forgetOld();
  }
}
