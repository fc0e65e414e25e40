interface Flushable {
  flush(): void;
}

/**
 * Collects what has something to send until this turn of the event loop ends. Rooms are flushed before connections:
 * what a room has for a connection leaves in the same write as what the connection has itself.
 */
export class Turn {
  readonly #schedule: (run: () => void) => void;
  #rooms: Flushable[] = [];
  #outboxes: Flushable[] = [];
  #scheduled = false;

  /** `schedule` runs its argument once, at the end of the turn (in Node: `setImmediate`). */
  constructor(schedule: (run: () => void) => void) {
    this.#schedule = schedule;
  }

  /** A room asks to be flushed; it asks once until it was. */
  addRoom(room: Flushable): void {
    this.#rooms.push(room);
    this.#ensureScheduled();
  }

  /** An outbox asks to be flushed; it asks once until it was. */
  addOutbox(outbox: Flushable): void {
    this.#outboxes.push(outbox);
    this.#ensureScheduled();
  }

  #ensureScheduled(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#end);
  }

  readonly #end = (): void => {
    const rooms = this.#rooms;
    this.#rooms = [];
    for (const room of rooms) room.flush();
    const outboxes = this.#outboxes;
    this.#outboxes = [];
    this.#scheduled = false;
    for (const outbox of outboxes) outbox.flush();
  };
}
