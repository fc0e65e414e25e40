interface Noted {
  /** The pod's name under which it was noted. */
  readonly name: string;
  /** Undefined once it is noted. */
  done: Promise<void> | undefined;
}

export interface NotedRoomsOptions {
  /** Stores it for all pods; raises Unavailable. */
  readonly note: (room: string, name: string) => Promise<void>;
  readonly forget: (room: string, name: string) => void;
}

/** The rooms that Redis knows to have members of this pod: a pod that reaps this one looks only there. */
export class NotedRooms {
  readonly #options: NotedRoomsOptions;
  readonly #rooms = new Map<string, Noted>();
  #name = '';

  constructor(options: NotedRoomsOptions) {
    this.#options = options;
  }

  /**
   * A member is about to enter under that name of the pod. Undefined if the room is noted; else resolves once it is, or
   * raises Unavailable.
   */
  enter(room: string, name: string): Promise<void> | undefined {
    // Notes under a former name end with its lease.
    if (name !== this.#name) this.#rooms.clear();
    this.#name = name;
    const noted = this.#rooms.get(room);
    if (noted === undefined) return this.#note(room, name);
    return noted.done;
  }

  /** The note that members who are entering wait for; later commands must wait for it too. Raises Unavailable. */
  pending(room: string): Promise<void> | undefined {
    return this.#rooms.get(room)?.done;
  }

  /** No member of this pod is left there, or entering. */
  left(room: string, name: string): void {
    if (this.#rooms.get(room)?.name !== name) return;
    this.#rooms.delete(room);
    this.#options.forget(room, name);
  }

  #note(room: string, name: string): Promise<void> {
    const noted: Noted = { name, done: undefined };
    this.#rooms.set(room, noted);
    noted.done = this.#finish(room, noted, this.#options.note(room, name));
    return noted.done;
  }

  async #finish(room: string, noted: Noted, done: Promise<void>): Promise<void> {
    try {
      await done;
      noted.done = undefined;
    } catch (error) {
      // The next member to enter tries again.
      if (this.#rooms.get(room) === noted) this.#rooms.delete(room);
      throw error;
    }
  }
}
