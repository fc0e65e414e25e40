import type { Clock } from '../core/ports/clock.ts';

const MOST_WAITING = 10_000;
const STOP_MS = 5_000;

export interface LeavesOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** How many are sent at once. */
  readonly most: number;
  /** Never rejects. */
  readonly send: (body: string) => Promise<void>;
  readonly dropped: (count: number) => void;
}

/** Tells the backend of leaves, in their order, without anybody waiting. */
export class Leaves {
  readonly #options: LeavesOptions;
  #waiting: string[] = [];
  #sending = 0;
  #isOver = false;
  /** Called when nothing is left. */
  #whenDone: () => void = () => undefined;

  constructor(options: LeavesOptions) {
    this.#options = options;
  }

  put(body: string): void {
    if (this.#isOver || this.#waiting.length >= MOST_WAITING) this.#options.dropped(1);
    else {
      this.#waiting.push(body);
      this.#send();
    }
  }

  /** Resolves when all are sent, or after five seconds; the rest is dropped. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(STOP_MS, resolve);
      this.#whenDone = () => {
        cancel();
        resolve();
      };
      this.#send();
    });
    this.#isOver = true;
    this.#options.dropped(this.#waiting.length);
    this.#waiting = [];
  }

  #send(): void {
    while (this.#sending < this.#options.most) {
      const body = this.#waiting.shift();
      if (body === undefined) break;
      this.#sending += 1;
      void this.#options.send(body).finally(() => {
        this.#sending -= 1;
        this.#send();
      });
    }
    if (this.#sending === 0) this.#whenDone();
  }
}
