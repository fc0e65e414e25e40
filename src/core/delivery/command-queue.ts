import type { Socket } from '../ports/socket.ts';

/** The socket is no longer read while so many commands wait: the client feels the backpressure. */
const MOST_WAITING = 16;

/** A task of a connection. A promise means that later tasks must wait for it; it never rejects. */
export type Task = () => Promise<void> | undefined;

/** Runs the commands of one connection one after the other. */
export class CommandQueue {
  readonly #socket: Pick<Socket, 'pause' | 'resume'>;
  /** Tasks that wait for the one in progress; undefined while none is in progress. */
  #waiting: Task[] | undefined;

  constructor(socket: Pick<Socket, 'pause' | 'resume'>) {
    this.#socket = socket;
  }

  /** Whether a command is in progress. */
  get isBusy(): boolean {
    return this.#waiting !== undefined;
  }

  /** Whether so many commands wait that the socket is not read: the pod cannot hear the client then. */
  get holdsBack(): boolean {
    return this.#waiting !== undefined && this.#waiting.length >= MOST_WAITING;
  }

  /** Runs the task now, or after the tasks that came before it. */
  run(task: Task): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(task);
      if (this.#waiting.length === MOST_WAITING) this.#socket.pause();
      return;
    }
    const work = task();
    if (work === undefined) return;
    this.#waiting = [];
    void work.then(() => this.#runWaiting());
  }

  #runWaiting(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    if (waiting.length >= MOST_WAITING) this.#socket.resume();
    for (const task of waiting) this.run(task);
  }
}
