import type { Missing, ServerEvent } from '../../protocol/event.ts';
import type { Occupant, Statement } from '../ports/presence-store.ts';
import type { CloseCode } from '../../protocol/close-codes.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Parcel } from './outbox.ts';
import type { RecentPages } from './recent-pages.ts';

/** The connection of a membership, as its room speaks to it. */
export interface Recipient extends Occupant {
  /** Undefined until the first frame decides. */
  readonly dialect: Dialect | undefined;
  readonly closed: boolean;
  send(parcel: Parcel): void;
  /** For the only parcel of a turn. */
  sendAlone(parcel: Parcel): void;
  tell(event: ServerEvent): void;
  close(code: CloseCode, reason?: string): void;
}

/** What a membership needs of its room. */
export interface RoomOfMembership {
  readonly name: string;
  readonly recentPages: RecentPages;
  /** How many of its members are behind or owed history. */
  readers: number;
}

/** A moment by two clocks: that of the history (`Broker.now`), and `Clock.elapsed`. */
export interface Moment {
  readonly since: number;
  readonly sinceElapsed: number;
}

/** Where a read of the history starts: after a position, or at a moment. */
export type After = { readonly after: string } | Moment;

/**
 * How a member gets the messages of its room (docs/recovery.md, "The three states of a member").
 * - `live`: as the room delivers them.
 * - `behind`: its client did not read, and messages were removed from its outbox; the history brings them when the
 *   client reads again.
 * - `owed`: the history could not be read when it joined; messages that no history stores come at once, the others from
 *   the history once that can be read.
 */
export type Standing = 'live' | 'behind' | 'owed';

/** What a member that is not live still has to get. */
interface Reading {
  readonly standing: Exclude<Standing, 'live'>;
  /** Where the next page starts. */
  from: After;
  /** Whether to read now; for an owed member, once the history may be readable. */
  isDue: boolean;
  /** What the client was told about this recovery; undefined if nothing yet. */
  told: { readonly missing: Missing | undefined } | undefined;
  /** A page is being pushed into the outbox. */
  isBeingGiven: boolean;
  /** The page before `from` may still be in the outbox: if that overflows, the page must be read again. */
  isInOutbox: boolean;
  /** The outbox could not take all of the page: from here on it must be read again. */
  again: After | undefined;
}

/** A connection's place in a room, from the join until the connection leaves the room or is gone. */
export class Membership {
  readonly connection: Recipient;
  readonly room: RoomOfMembership;
  /** What it listens to, bits of LISTEN. */
  listen: number = LISTEN.none;
  /** Whether its user is present through it. */
  present = false;
  /** Whether it resumes a connection that was lost. */
  returns = false;
  /** What the client last stated about its user's presence. */
  statement: Statement | undefined = undefined;
  /**
   * Since when it gets the messages of the room, by `RoomHistory.moment`: it has everything that was delivered
   * provisionally since then.
   */
  hearsSince = 0;
  /** Undefined while the member is live, as nearly all are. */
  #reading: Reading | undefined = undefined;

  constructor(connection: Recipient, room: RoomOfMembership) {
    this.connection = connection;
    this.room = room;
  }

  get standing(): Standing {
    return this.#reading?.standing ?? 'live';
  }

  /** Where to read the history for it now; undefined if there is nothing to read, or not yet. */
  get readsFrom(): After | undefined {
    return this.#reading?.isDue === true ? this.#reading.from : undefined;
  }

  /** What the client was told about the recovery in progress. */
  get told(): { readonly missing: Missing | undefined } | undefined {
    return this.#reading?.told;
  }

  /** Whether a stored message must stay out of its outbox, since the history brings it in its turn. */
  get mustRead(): boolean {
    const reading = this.#reading;
    return reading !== undefined && (!reading.isBeingGiven || reading.again !== undefined);
  }

  /** The history cannot be read now; reading starts at `from` once it can. */
  owe(from: After): void {
    this.#end();
    this.#begin('owed', from, false);
  }

  /** The owed history was read after all, or the client asked for another part of it. */
  settle(): void {
    if (this.standing === 'owed') this.#end();
  }

  /** The client no longer wants what it has not read. */
  abandon(): void {
    this.#end();
  }

  /** Messages behind `after` were removed from its outbox; of several calls the first counts. */
  fallBehind(after: After): void {
    const reading = this.#reading;
    if (reading === undefined) this.#begin('behind', after, true);
    else if (reading.isBeingGiven) reading.again ??= after;
    else if (reading.isInOutbox) {
      reading.isInOutbox = false;
      reading.from = after;
    }
  }

  /** The history of its room may be readable again. */
  becomeDue(): void {
    if (this.#reading !== undefined) this.#reading.isDue = true;
  }

  /** The client was told what is missing, if anything is. */
  tell(missing: Missing | undefined): void {
    if (this.#reading !== undefined) this.#reading.told = { missing };
  }

  /** A page that was read at `readsFrom` follows, until `endPage`. */
  beginPage(): void {
    if (this.#reading !== undefined) this.#reading.isBeingGiven = true;
  }

  /** The page was pushed as far as the outbox took it; `next` is the start of the next page, if there is one. */
  endPage(next: After | undefined): void {
    const reading = this.#reading;
    if (reading === undefined) return;
    const from = reading.again ?? next;
    reading.isBeingGiven = false;
    reading.isInOutbox = reading.again === undefined;
    reading.again = undefined;
    if (from === undefined) this.#end();
    else reading.from = from;
  }

  #begin(standing: Reading['standing'], from: After, isDue: boolean): void {
    const rest = { told: undefined, isBeingGiven: false, isInOutbox: false, again: undefined };
    this.#reading = { standing, from, isDue, ...rest };
    this.room.readers += 1;
  }

  #end(): void {
    if (this.#reading !== undefined) this.room.readers -= 1;
    this.#reading = undefined;
  }
}
