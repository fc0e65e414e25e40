import { comesFromHistory, type Delivery, isAtMostOnce } from './delivery.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Frame, Framer } from '../ports/socket.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Membership, Standing } from './membership.ts';
import type { Parcel } from './outbox.ts';

const PLACE: Readonly<Record<Standing, number>> = { live: 0, behind: 1, owed: 2 };
const STANDINGS = 3;

/** The parcel of one kind of member; undefined if such members get nothing. */
interface Made {
  readonly place: number;
  readonly parcel: Parcel | undefined;
  readonly next: Made | undefined;
}

/**
 * What a room sends in one turn of the event loop. All members with the same dialect, standing and interests share one
 * parcel, built when the first of them asks. Each further member costs a look-up and no allocation.
 */
export class RoomBatch {
  readonly #room: string;
  readonly #deliveries: readonly Delivery[];
  readonly #framer: Framer;
  /** The parcel of the last member: nearly all members are alike. */
  #last: Made | undefined;
  /** All parcels made so far, linked: one or two, so that a table would cost more. */
  #made: Made | undefined;

  constructor(room: string, deliveries: readonly Delivery[], framer: Framer) {
    this.#room = room;
    this.#deliveries = deliveries;
    this.#framer = framer;
  }

  /** Number of messages that no history will store: a member that is behind never gets them. */
  get atMostOnce(): number {
    return this.#deliveries.filter(isAtMostOnce).length;
  }

  /** Whether it has a message that the history will store later. */
  get isProvisional(): boolean {
    return this.#deliveries.some(({ isProvisional }) => isProvisional);
  }

  parcelFor({ connection, listen, standing }: Membership): Parcel | undefined {
    const { dialect } = connection;
    if (dialect === undefined) return undefined;
    const isOwed = standing === 'owed';
    // A member that is behind gets these messages from the history, after what it missed. A member that is owed history
    // gets only the messages that no history has.
    const hears = standing === 'behind' ? listen & ~LISTEN.messages : listen;
    const place = (dialect.index * (LISTEN.all + 1) + hears) * STANDINGS + PLACE[standing];
    if (this.#last?.place !== place) {
      this.#last = this.#find(place) ?? this.#keep(place, this.#make(dialect, hears, isOwed));
    }
    return this.#last.parcel;
  }

  #find(place: number): Made | undefined {
    let made = this.#made;
    while (made !== undefined && made.place !== place) made = made.next;
    return made;
  }

  #keep(place: number, parcel: Parcel | undefined): Made {
    this.#made = { place, parcel, next: this.#made };
    return this.#made;
  }

  #make(dialect: Dialect, listen: number, isOwed: boolean): Parcel | undefined {
    const isFor = (delivery: Delivery): boolean =>
      (delivery.audience & listen) !== 0 && !(isOwed && comesFromHistory(delivery));
    // Mostly everything is for everybody, and then no copy is needed.
    const deliveries = this.#deliveries.every(isFor) ? this.#deliveries : this.#deliveries.filter(isFor);
    let first: Frame | undefined;
    let frames: Frame[] | undefined;
    for (const delivery of deliveries) {
      const frame = delivery.frame(dialect);
      if (frame === undefined) continue;
      if (first === undefined) first = frame;
      else (frames ??= [first]).push(frame);
    }
    if (first === undefined) return undefined;
    const bytes = frames === undefined ? first : this.#framer.join(frames);
    const isPatient = deliveries.every(({ audience }) => (audience & LISTEN.messages) === 0);
    return { bytes, count: frames?.length ?? 1, deliveries, room: this.#room, isPatient };
  }
}
