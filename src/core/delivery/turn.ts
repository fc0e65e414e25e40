import type { Clock } from '../ports/clock.ts';
import { PacedFlush } from './paced-flush.ts';

interface Flushable {
  flush(): void;
}

interface FlushableRoom {
  /** `isAlone`: no other room has anything in this turn. */
  flush(isAlone: boolean): void;
}

const NOTHING: readonly never[] = [];

/**
 * Collects everything that has something to send until this turn of the event loop ends. Rooms come first, then
 * answers, then outboxes: a publisher gets its message before the ack, and each connection gets one write.
 */
export class Turn {
  readonly #schedule: (run: () => void) => void;
  /** Gets what a flush threw, which must not stop the others. */
  readonly failed: (error: unknown) => void;
  /** Undefined while empty: a turn has few of each, and an array that grows from nothing takes room for 17. */
  #rooms: FlushableRoom[] | undefined;
  #answers: Flushable[] | undefined;
  #outboxes: Flushable[] | undefined;
  #scheduled = false;
  readonly #paced: PacedFlush;

  /**
   * `schedule` runs its argument once, at the end of the turn (in Node: `setImmediate`). A flush that throws must not
   * stop the others; `failed` gets the error.
   */
  constructor(schedule: (run: () => void) => void, failed: (error: unknown) => void, clock: Clock) {
    this.#schedule = schedule;
    this.failed = failed;
    const endOfTurn = (): void => this.addOutbox({ flush: this.#paced.flush });
    this.#paced = new PacedFlush(clock, endOfTurn, (outbox) => this.#attempt(outbox));
  }

  /** A room asks to be flushed; it must not ask again before it was. */
  addRoom(room: FlushableRoom): void {
    if (this.#rooms === undefined) this.#rooms = [room];
    else this.#rooms.push(room);
    this.#ensureScheduled();
  }

  /** Flushes `answer` once the rooms of this turn have been flushed. */
  addAnswer(answer: Flushable): void {
    if (this.#answers === undefined) this.#answers = [answer];
    else this.#answers.push(answer);
    this.#ensureScheduled();
  }

  /** An outbox asks to be flushed; it must not ask again before it was. */
  addOutbox(outbox: Flushable): void {
    if (this.#outboxes === undefined) this.#outboxes = [outbox];
    else this.#outboxes.push(outbox);
    this.#ensureScheduled();
  }

  /** An outbox that holds only presence events asks to be flushed, perhaps a little later; it may ask again. */
  addPatientOutbox(outbox: Flushable): void {
    this.#paced.add(outbox);
  }

  /** Ends the turn now; also possible while it is ending. */
  flush(): void {
    const rooms = this.#rooms ?? NOTHING;
    this.#rooms = undefined;
    const isAlone = rooms.length === 1;
    for (const room of rooms) this.#attempt(room, isAlone);
    const answers = this.#answers ?? NOTHING;
    this.#answers = undefined;
    for (const answer of answers) this.#attempt(answer);
    const outboxes = this.#outboxes ?? NOTHING;
    this.#outboxes = undefined;
    for (const outbox of outboxes) this.#attempt(outbox);
  }

  #attempt(one: FlushableRoom, isAlone = false): void {
    try {
      one.flush(isAlone);
    } catch (error) {
      this.failed(error);
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
