import { isWritten, type Place, type Places } from './places.ts';
import type { Lease } from '../../shared/lease.ts';
import type { PlaceWriter } from './place-writer.ts';
import type { Occupant } from '../../../core/ports/presence-store.ts';
import { forEach } from './steps.ts';

/** So many exits are kept; whoever else left is shown until the lease under which it was written is buried. */
const MOST_EXITS = 1_000;
/** Of those at once. */
const AT_ONCE = 50;

interface Exit {
  readonly room: string;
  readonly who: Occupant;
}

export interface RefusedPlacesOptions {
  readonly places: Places;
  readonly writer: PlaceWriter;
  readonly lease: Lease;
  /** Never raises. */
  readonly leave: (room: string, who: Occupant) => Promise<void>;
}

/**
 * Places that could not be written under the present name of the pod, or taken away, because the room was on its way from
 * one server of a Cluster to another, or its server was away. That is done as soon as it can be reached: else the grace of a connection that was lost
 * before ends first, on whichever pod, or the lease under which they were written before, and the user is said to have
 * left; and who left is shown until the end of a lease.
 */
export class RefusedPlaces {
  readonly #options: RefusedPlacesOptions;
  readonly #refused = new Set<Place>();
  readonly #exits = new Set<Exit>();

  constructor(options: RefusedPlacesOptions) {
    this.#options = options;
  }

  has(place: Place): boolean {
    return this.#refused.has(place);
  }

  add(place: Place): void {
    this.#refused.add(place);
  }

  /** A connection is gone, and that could not be written. */
  addExit(room: string, who: Occupant): void {
    if (this.#exits.size < MOST_EXITS) this.#exits.add({ room, who });
  }

  /** It is being written again, or its connection is gone. */
  delete(place: Place): void {
    this.#refused.delete(place);
  }

  /** Rooms can be written to again. Who has come is written first: then nobody leaves who is there. */
  async write(isConcerned: (room: string) => boolean): Promise<void> {
    await this.#enter(isConcerned);
    const { leave, places } = this.#options;
    // Those that are refused again meanwhile wait for the next time. Under whichever name of the pod they were written: a
    // room in which nobody is left is kept by nobody, and may be gone, in silence, before that name is buried.
    await forEach([...this.#exits], AT_ONCE, async (exit) => {
      const { room, who } = exit;
      const isOver = places.find(room, who) !== undefined;
      if (!isOver && !isConcerned(room)) return;
      if (this.#exits.delete(exit) && !isOver) await leave(room, who);
    });
  }

  async #enter(isConcerned: (room: string) => boolean): Promise<void> {
    const { lease, places, writer } = this.#options;
    for (const place of this.#refused) {
      // What was written since is done; under another name all is written anyway.
      if (isWritten(place, lease.name) || place.writing?.name !== lease.name) this.#refused.delete(place);
    }
    const some = [...this.#refused].filter(({ room }) => isConcerned(room));
    if (some.length === 0) return;
    const isStill = (place: Place): boolean => this.#refused.has(place) && places.holds(place) && !place.lost;
    await writer.write([...Map.groupBy(some, ({ room }) => room).values()], isStill);
  }
}
