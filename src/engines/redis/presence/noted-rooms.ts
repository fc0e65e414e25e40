interface Noted {
  /** The name under which it was noted. */
  readonly name: string;
  /** Undefined: it is noted. */
  done: Promise<void> | undefined;
}

export interface NotedRoomsOptions {
  /** Where all pods see it; raises Unavailable. */
  readonly note: (room: string, name: string) => Promise<void>;
  readonly forget: (room: string, name: string) => void;
}

/** The rooms in which this pod is known to have somebody present: whoever buries the pod looks there, and only there. */
export class NotedRooms {
  readonly #options: NotedRoomsOptions;
  readonly #rooms = new Map<string, Noted>();
  #name = '';

  constructor(options: NotedRoomsOptions) {
    this.#options = options;
  }

  /**
   * Somebody is about to enter under that name of the pod. Undefined where the room is noted; else resolves once it is,
   * or raises Unavailable.
   */
  enter(room: string, name: string): Promise<void> | undefined {
    // What was noted under a former name goes with that.
    if (name !== this.#name) this.#rooms.clear();
    this.#name = name;
    const noted = this.#rooms.get(room);
    if (noted === undefined) return this.#note(room, name);
    return noted.done;
  }

  /** What those wait for who are about to enter; whoever comes after them waits for it too. Raises Unavailable. */
  pending(room: string): Promise<void> | undefined {
    return this.#rooms.get(room)?.done;
  }

  /** Nobody is left there through this pod, or about to enter. */
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
      // Whoever comes next tries again.
      if (this.#rooms.get(room) === noted) this.#rooms.delete(room);
      throw error;
    }
  }
}
