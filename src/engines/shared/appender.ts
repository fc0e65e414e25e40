import type { Publication } from './publication.ts';
import type { Published } from '../../core/ports/broker.ts';

/** What became of an append: the publication's position, or why it has none. */
export type Appended = Published | Error;

/** How an engine appends publications to the histories of rooms. */
export interface Appender {
  /** So many publications of one queue may be in flight. */
  readonly mostInFlight: number;
  /** Publications of all rooms with the same queue keep their order. One stuck queue does not hold up the others. */
  readonly queueOf: (room: string) => number | string;
  /**
   * The connection that takes a room's publications. Those in flight on one are answered before the next is sent on
   * another; else a later publication could overtake an earlier one.
   */
  readonly destinationOf: (room: string) => string;
  /** Whether the room's history can be reached. */
  readonly reaches: (room: string) => boolean;
  /** The clock of `Publication.sentAt`, in milliseconds. */
  readonly now: (room: string) => number;
  /**
   * Gives a publication its position. Calls `settle` once, and never before it returns: when this pod's room has the
   * message, unless an earlier one is still missing; or with Unavailable (the publication is sent again), or with an
   * error that is final. It must not throw. Callbacks, because promises from layer to layer cost more than the work.
   */
  readonly append: (publication: Publication, settle: (appended: Appended) => void) => void;
}
