import type { Clock } from '../../../core/ports/clock.ts';

/** Rooms that are repaired within this time are handled together. */
const GATHER_MS = 1_000;
/** By then all pods that were told have repaired their own rows. */
const OTHERS_MS = 1_000;

export interface RepairedRoomsOptions {
  readonly clock: Clock;
  /** Repairs the rows of this pod's members in these rooms. Never raises. */
  readonly check: (rooms: ReadonlySet<string>) => void;
  readonly tell: (isAffected: (room: string) => boolean) => void;
}

/**
 * Rooms in which some pod has written lost rows again, without announcing a join. If rows of one pod are lost, rows of
 * others may be, so each pod checks its own at once. Clients may have been given a list that is too short meanwhile: on
 * every pod they get the list again, once, when all pods have had time to repair their rows.
 */
export class RepairedRooms {
  readonly #options: RepairedRoomsOptions;
  readonly #waiting = new Set<string>();
  #gathering: Set<string> | undefined;

  constructor(options: RepairedRoomsOptions) {
    this.#options = options;
  }

  /** A pod, perhaps this one, has just repaired the room. */
  repaired(room: string): void {
    // Repairs until then are in the list that clients get then; later ones cause another list.
    if (this.#waiting.has(room)) return;
    this.#waiting.add(room);
    this.#gathering ??= this.#gather();
    this.#gathering.add(room);
  }

  #gather(): Set<string> {
    const { clock, check, tell } = this.#options;
    const rooms = new Set<string>();
    clock.after(GATHER_MS, () => {
      this.#gathering = undefined;
      check(rooms);
    });
    clock.after(GATHER_MS + OTHERS_MS, () => {
      for (const room of rooms) this.#waiting.delete(room);
      tell((room) => rooms.has(room));
    });
    return rooms;
  }
}
