import { comesFromHistory, type Delivery, isAtMostOnce } from './delivery.ts';
import type { Dialect } from '../../protocol/dialect.ts';
import type { Frame, Framer } from '../ports/socket.ts';
import { LISTEN } from '../../protocol/command.ts';
import type { Membership, Standing } from './membership.ts';
import type { Parcel } from './outbox.ts';

const PLACE: Readonly<Record<Standing, number>> = { live: 0, behind: 1, owed: 2 };
const STANDINGS = 3;

/**
 * What a room sends in one turn of the event loop. All members with the same dialect, standing and interests share one
 * parcel, built when the first of them asks. Each further member costs a look-up and no allocation.
 */
export class RoomBatch {
  readonly #room: string;
  readonly #deliveries: readonly Delivery[];
  readonly #framer: Framer;
  /**
   * Nearly all members are alike, so the parcel of the last one is tried first, and the table is nearly never needed.
   */
  #lastPlace = -1;
  #lastParcel: Parcel | undefined;
  #parcels: Map<number, Parcel | undefined> | undefined;

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
    if (place !== this.#lastPlace) this.#turnTo(place, dialect, hears, isOwed);
    return this.#lastParcel;
  }

  #turnTo(place: number, dialect: Dialect, listen: number, isOwed: boolean): void {
    if (this.#lastPlace !== -1) (this.#parcels ??= new Map()).set(this.#lastPlace, this.#lastParcel);
    this.#lastPlace = place;
    this.#lastParcel = this.#parcels?.has(place)
      ? this.#parcels.get(place)
      : this.#make(dialect, listen, isOwed);
  }

  #make(dialect: Dialect, listen: number, isOwed: boolean): Parcel | undefined {
    const deliveries = this.#deliveries.filter(
      (delivery) => (delivery.audience & listen) !== 0 && !(isOwed && comesFromHistory(delivery)),
    );
    const frames: Frame[] = [];
    for (const delivery of deliveries) {
      const frame = delivery.frame(dialect);
      if (frame !== undefined) frames.push(frame);
    }
    const [first] = frames;
    if (first === undefined) return undefined;
    const bytes = frames.length === 1 ? first : this.#framer.join(frames);
    const isPatient = deliveries.every(({ audience }) => (audience & LISTEN.messages) === 0);
    return { bytes, count: frames.length, deliveries, room: this.#room, isPatient };
  }
}
