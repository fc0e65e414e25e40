import type { Clock } from '../../../core/ports/clock.ts';

/** Rooms that are mended within this time are looked after together. */
const GATHER_MS = 1_000;
/** By then all pods that heard of a room have looked after it too. */
const OTHERS_MS = 1_000;

export interface RepairedRoomsOptions {
  readonly clock: Clock;
  /** Writes anew what else is gone of this pod's own in these rooms. Raises nothing. */
  readonly lookAfter: (rooms: ReadonlySet<string>) => void;
  readonly tell: (isAffected: (room: string) => boolean) => void;
}

/**
 * Rooms in which some pod has written anew what was gone, in silence, for nobody came. What is gone of one pod's is gone
 * of others', so each looks after its own there at once. Whoever listens there, on whichever pod, may have been told of
 * too few meanwhile, and is told again once, when all pods have had the time to do so.
 */
export class RepairedRooms {
  readonly #options: RepairedRoomsOptions;
  readonly #waiting = new Set<string>();
  #gathering: Set<string> | undefined;

  constructor(options: RepairedRoomsOptions) {
    this.#options = options;
  }

  /** A pod, perhaps this one, has mended the room just now. */
  mended(room: string): void {
    // Another pod's share is in the list that is told then; what is mended after that is told anew.
    if (this.#waiting.has(room)) return;
    this.#waiting.add(room);
    this.#gathering ??= this.#gather();
    this.#gathering.add(room);
  }

  #gather(): Set<string> {
    const { clock, lookAfter, tell } = this.#options;
    const rooms = new Set<string>();
    clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      lookAfter(rooms);
    });
    clock.after(GATHER_MS + OTHERS_MS, () => {
      for (const room of rooms) this.#waiting.delete(room);
      tell((room) => rooms.has(room));
    });
    return rooms;
  }
}
