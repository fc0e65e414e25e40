import { type Entry, type RedisRows, UNWATCHED } from './rows.ts';
import { isWritten, noteWritten, type Place } from './places.ts';
import { Unavailable } from '../../shared/unavailable.ts';
import type { Backbone } from '../connection/backbone.ts';
import { chunksOf } from './steps.ts';
import type { PresenceChange } from '../../../core/ports/presence-store.ts';

/** Connections of a room written in one step, and rooms written at once. */
const CONNECTIONS = 100;
const ROOMS = 50;

export interface PlaceWriterOptions {
  readonly backbone: Backbone;
  readonly rows: RedisRows;
  readonly caused: (room: string, change: PresenceChange) => void;
  /** The place could not be written for want of a server. */
  readonly refused: (place: Place) => void;
}

/** Writes places anew that Redis has no more, or has under a former name of the pod. */
export class PlaceWriter {
  readonly #options: PlaceWriterOptions;

  constructor(options: PlaceWriterOptions) {
    this.#options = options;
  }

  /**
   * Writes the places of some rooms, those of each together. Nobody is told of those who were there all the time.
   * `isStill` is asked right before a place is written. Rooms whose server is away, or that are on their way, are no
   * reason to leave the others out.
   */
  async write(rooms: readonly (readonly Place[])[], isStill: (place: Place) => boolean): Promise<void> {
    const { missed } = this.#options.backbone;
    for (const some of chunksOf(rooms, ROOMS)) {
      const written = await Promise.allSettled(
        some.map((places) => missed.noting(this.#writeRoom(places, isStill))),
      );
      const failed = written.find((one) => one.status === 'rejected' && !(one.reason instanceof Unavailable));
      if (failed?.status === 'rejected') throw failed.reason;
    }
  }

  async #writeRoom(places: readonly Place[], isStill: (place: Place) => boolean): Promise<void> {
    try {
      for (const [former, some] of Map.groupBy(places, ({ written }) => written)) {
        for (const part of chunksOf(some, CONNECTIONS)) await this.#writePart(part.filter(isStill), former);
      }
    } catch (error) {
      if (error instanceof Unavailable) this.#refuse(places.filter(isStill));
      throw error;
    }
  }

  #refuse(places: readonly Place[]): void {
    const { backbone, refused } = this.#options;
    const { name } = backbone.lease;
    for (const place of places) {
      if (isWritten(place, name)) continue;
      place.writing = { name };
      refused(place);
    }
  }

  async #writePart(places: readonly Place[], former: string | undefined): Promise<void> {
    const { backbone, caused, rows } = this.#options;
    const [first] = places;
    if (first === undefined) return;
    const { name: pod } = backbone.lease;
    const writing = places.map((place) => place.writing);
    const entered = await rows.enter(first.room, places.map(entryOf), UNWATCHED, former);
    for (const [at, { change, stamp }] of entered.entries()) {
      if (change !== undefined) caused(first.room, change);
      const place = places[at];
      // Unless something else has been said since.
      if (place !== undefined && place.writing === writing[at]) noteWritten(place, pod, stamp);
    }
  }
}

/** As the place is known. */
export function entryOf({ who, statement, said, lost, returns }: Place): Entry {
  return { who, statement, said, lost, returns };
}
