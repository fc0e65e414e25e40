import { isWritten, type Place, type Places } from './places.ts';
import type { Lease } from '../pods/lease.ts';
import type { PlaceWriter } from './place-writer.ts';
import { UNWATCHED } from './redis-rows.ts';

export interface RefusedPlacesOptions {
  readonly places: Places;
  readonly writer: PlaceWriter;
  readonly lease: Lease;
}

/**
 * Places that could not be written under the present name of the pod, because the room was on its way from one server of
 * a Cluster to another. They are written as soon as it has arrived: else the grace of a connection that was lost before
 * ends first, on whichever pod, and the user is said to have left. Nothing else of the pod needs to be written anew.
 */
export class RefusedPlaces {
  readonly #options: RefusedPlacesOptions;
  readonly #refused = new Set<Place>();

  constructor(options: RefusedPlacesOptions) {
    this.#options = options;
  }

  has(place: Place): boolean {
    return this.#refused.has(place);
  }

  add(place: Place): void {
    this.#refused.add(place);
  }

  /** It is being written again, or its connection is gone. */
  delete(place: Place): void {
    this.#refused.delete(place);
  }

  /** Rooms can be written to again. */
  async write(isConcerned: (room: string) => boolean): Promise<void> {
    const { lease, places, writer } = this.#options;
    for (const place of this.#refused) {
      // What was written since is done; under another name all is written anyway.
      if (isWritten(place, lease.name) || place.writing?.name !== lease.name) this.#refused.delete(place);
    }
    const some = [...this.#refused].filter(({ room }) => isConcerned(room));
    if (some.length === 0) return;
    const isStill = (place: Place): boolean => this.#refused.has(place) && places.holds(place) && !place.lost;
    await writer.write([...Map.groupBy(some, ({ room }) => room).values()], UNWATCHED, isStill);
  }
}
