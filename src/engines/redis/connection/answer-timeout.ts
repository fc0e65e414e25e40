import { ANSWER_MS } from '../../shared/terms.ts';
import type { Clock } from '../../../core/ports/clock.ts';

const LOOKS = 8;
const LOOK_MS = ANSWER_MS / LOOKS;

/**
 * Notices a command that a connection has not answered for two seconds, whatever else came on it meanwhile. Answers come
 * in the order of the commands, so that two counts tell: how many were sent two seconds ago, and how many are answered.
 * Time in which this process stood still does not count: it looks once in each round of the event loop at most, and
 * only after what had arrived by then was read.
 */
export class AnswerTimeout {
  readonly #clock: Clock;
  readonly #over: () => void;
  #sent = 0;
  #answered = 0;
  /** How many were sent by each of the last looks, oldest first. */
  #sentBy: number[] = [];
  #cancel: (() => void) | undefined;

  /** `over` is called when it is over, once for each connection; then `forget` begins anew. */
  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** A command has been sent. */
  sent(): void {
    if (this.#cancel === undefined) {
      this.#sentBy = [this.#sent + 1];
      this.#lookLater();
    }
    this.#sent += 1;
  }

  /** The oldest of those that were not answered yet is answered, or will not be. */
  answered(): void {
    this.#answered += 1;
  }

  /** A command that was sent just now, and its answer. */
  async watch<Reply>(command: Promise<Reply>): Promise<Reply> {
    this.sent();
    try {
      return await command;
    } finally {
      this.answered();
    }
  }

  /** There is another connection, or none. */
  forget(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#sent = 0;
    this.#answered = 0;
    this.#sentBy = [];
  }

  #lookLater(): void {
    let isOff = false;
    const cancel = this.#clock.after(LOOK_MS, () => setImmediate(() => void (isOff || this.#look())));
    this.#cancel = () => {
      isOff = true;
      cancel();
    };
  }

  #look(): void {
    this.#cancel = undefined;
    const due = this.#sentBy.length < LOOKS ? 0 : (this.#sentBy.shift() ?? 0);
    this.#sentBy.push(this.#sent);
    if (this.#answered < due) this.#over();
    // Nobody looks while nothing is asked.
    else if (this.#answered < this.#sent) this.#lookLater();
  }
}
