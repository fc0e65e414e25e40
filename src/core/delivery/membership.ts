import type { Missing, ServerEvent } from '../../protocol/event.ts';
import type { Occupant, Statement } from '../ports/presence-store.ts';
import type { CloseCode } from '../../protocol/close-codes.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Parcel } from './outbox.ts';

/** The connection of a membership, as its room speaks to it. */
export interface Recipient extends Occupant {
  /** Undefined until the first frame decides. */
  readonly dialect: Dialect | undefined;
  readonly closed: boolean;
  send(parcel: Parcel): void;
  tell(event: ServerEvent): void;
  close(code: CloseCode, reason?: string): void;
}

/** What a membership needs of its room. */
export interface RoomOfMembership {
  readonly name: string;
  /** How many of its members are behind or owed history. */
  readers: number;
}

/** A moment by two clocks: the history's, as it was known then (`Broker.now`), and the one that only goes forward. */
export interface Moment {
  readonly since: number;
  readonly sinceElapsed: number;
}

/** From where on history is to be read: after a position, or from a moment on. */
export type After = { readonly after: string } | Moment;

/**
 * How a member gets the messages of its room (docs/recovery.md, "The three states of a member").
 * - `live`: as they come.
 * - `behind`: it did not read, and messages were taken out of its outbox; history brings them when it reads again.
 * - `owed`: history could not be read when it joined; it hears at once what no history has, and history brings the rest.
 */
export type Standing = 'live' | 'behind' | 'owed';

/** What a member that is not live still has to be given. */
interface Reading {
  readonly standing: Exclude<Standing, 'live'>;
  /** Where the next page begins. */
  from: After;
  /** Whether the history is to be read: of an owed member, only once it can be. */
  isDue: boolean;
  /** What it was told of this recovery; undefined as long as it was told nothing. */
  told: { readonly missing: Missing | undefined } | undefined;
  /** A page is on its way into the outbox. */
  isBeingGiven: boolean;
  /** The page before `from` may be in the outbox still: if that overflows it has to be read again. */
  isInOutbox: boolean;
  /** The outbox could not take all of that page: from there on it has to be read again. */
  again: After | undefined;
}

/** A connection's place in a room, from its join until it leaves or is gone. */
export class Membership {
  readonly connection: Recipient;
  readonly room: RoomOfMembership;
  /** What it hears, bits of LISTEN. */
  listen: number = LISTEN.none;
  /** Whether its user is present through it. */
  present = false;
  /** Whether it goes on where a connection ended that was lost. */
  returns = false;
  /** What the connection last said of its user's presence. */
  statement: Statement | undefined = undefined;
  /**
   * Since when it has heard the room, as counted by `Room.moment`: what was delivered provisionally from then on it
   * has.
   */
  hearsSince = 0;
  /** Undefined while it is live, as nearly every member is. */
  #reading: Reading | undefined = undefined;

  constructor(connection: Recipient, room: RoomOfMembership) {
    this.connection = connection;
    this.room = room;
  }

  get standing(): Standing {
    return this.#reading?.standing ?? 'live';
  }

  /** From where history is to be read for it now; undefined while that is not to be done. */
  get readsFrom(): After | undefined {
    return this.#reading?.isDue === true ? this.#reading.from : undefined;
  }

  /** What it was told of the recovery that is under way. */
  get told(): { readonly missing: Missing | undefined } | undefined {
    return this.#reading?.told;
  }

  /** Whether a message of the history must not be put into its outbox now: history brings it in its turn. */
  get mustRead(): boolean {
    const reading = this.#reading;
    return reading !== undefined && (!reading.isBeingGiven || reading.again !== undefined);
  }

  /** History cannot be read now; `from` is where it has to begin once it can be. */
  owe(from: After): void {
    this.#end();
    this.#begin('owed', from, false);
  }

  /** The history that it was owed could be read after all, or is asked for anew. */
  settle(): void {
    if (this.standing === 'owed') this.#end();
  }

  /** It is of no interest any more what it has not read. */
  abandon(): void {
    this.#end();
  }

  /** Messages from there on were taken out of its outbox. The first of them counts. */
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

  /** It has been told what is missing, if anything is. */
  tell(missing: Missing | undefined): void {
    if (this.#reading !== undefined) this.#reading.told = { missing };
  }

  /** What follows is a page read from `readsFrom`, until `endPage`. */
  beginPage(): void {
    if (this.#reading !== undefined) this.#reading.isBeingGiven = true;
  }

  /** The page was handed over, as far as the outbox took it; `next` is where another begins, if there is one. */
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
