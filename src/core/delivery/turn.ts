interface Flushable {
  flush(): void;
}

/**
 * Collects what has something to send until this turn of the event loop ends. Rooms come first, then answers, then
 * outboxes: whoever publishes sees the message before its ack, and a connection gets all of it in one write.
 */
export class Turn {
  readonly #schedule: (run: () => void) => void;
  readonly #failed: (error: unknown) => void;
  #rooms: Flushable[] = [];
  #answers: Flushable[] = [];
  #outboxes: Flushable[] = [];
  #scheduled = false;

  /**
   * `schedule` runs its argument once, at the end of the turn (in Node: `setImmediate`). `failed` is told of what was
   * thrown: nobody's fault may keep the others from what is theirs.
   */
  constructor(schedule: (run: () => void) => void, failed: (error: unknown) => void) {
    this.#schedule = schedule;
    this.#failed = failed;
  }

  /** A room asks to be flushed; it asks once until it was. */
  addRoom(room: Flushable): void {
    this.#rooms.push(room);
    this.#ensureScheduled();
  }

  /** Runs once the rooms of this turn have been flushed. */
  addAnswer(answer: Flushable): void {
    this.#answers.push(answer);
    this.#ensureScheduled();
  }

  /** An outbox asks to be flushed; it asks once until it was. */
  addOutbox(outbox: Flushable): void {
    this.#outboxes.push(outbox);
    this.#ensureScheduled();
  }

  /** Ends the turn now, for somebody who cannot wait; also possible while it is ending. */
  flush(): void {
    const rooms = this.#rooms;
    this.#rooms = [];
    for (const room of rooms) this.#attempt(room);
    const answers = this.#answers;
    this.#answers = [];
    for (const answer of answers) this.#attempt(answer);
    const outboxes = this.#outboxes;
    this.#outboxes = [];
    for (const outbox of outboxes) this.#attempt(outbox);
  }

  #attempt(one: Flushable): void {
    try {
      one.flush();
    } catch (error) {
      this.#failed(error);
    }
  }

  #ensureScheduled(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#end);
  }

  readonly #end = (): void => {
    this.#scheduled = false;
    this.flush();
  };
}
