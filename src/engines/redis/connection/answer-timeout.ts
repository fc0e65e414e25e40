import { ANSWER_MS } from '../../shared/terms.ts';
import type { Clock } from '../../../core/ports/clock.ts';

const LOOKS = 8;
const LOOK_MS = ANSWER_MS / LOOKS;

/**
 * Notices a command that a connection has not answered for two seconds, even if other answers arrived meanwhile. Redis
 * answers in the order of the commands, so two counts suffice: how many were sent two seconds ago, and how many are
 * answered. Time in which this process stood still does not count: it looks at most once per turn of the event loop,
 * and only after reading what had arrived.
 */
export class AnswerTimeout {
  readonly #clock: Clock;
  readonly #timedOut: () => void;
  #sent = 0;
  #answered = 0;
  /** How many were sent by each of the last looks, oldest first. */
  #sentBy: number[] = [];
  #cancel: (() => void) | undefined;

  /** Calls `timedOut` at most once until `reset`. */
  constructor(clock: Clock, timedOut: () => void) {
    this.#clock = clock;
    this.#timedOut = timedOut;
  }

  /** A command has been sent. */
  sent(): void {
    if (this.#cancel === undefined) {
      this.#sentBy = [this.#sent + 1];
      this.#lookLater();
    }
    this.#sent += 1;
  }

  /** The oldest unanswered command is answered, or never will be. */
  answered(): void {
    this.#answered += 1;
  }

  /** Watches a command that was just sent. */
  async watch<Reply>(command: Promise<Reply>): Promise<Reply> {
    this.sent();
    try {
      return await command;
    } finally {
      this.answered();
    }
  }

  /** The connection is another one, or closed. */
  reset(): void {
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
    if (this.#answered < due) this.#timedOut();
    // No timer runs while every command is answered.
    else if (this.#answered < this.#sent) this.#lookLater();
  }
}
