import type { Published } from '../ports/broker.ts';

interface Waiting {
  readonly isStored: boolean;
  readonly start: () => void;
}

/**
 * What one connection publishes, in whatever rooms, in the order in which the client asked. Stored messages need not
 * wait for each other, since the broker keeps their order. A message that no history stores is delivered at once and
 * would overtake the stored ones before it, so it waits until all of them have an answer, and they wait for it. A
 * failure and a provisional delivery are answers, too.
 */
export class Publications {
  /** How many are on their way to the broker. */
  #underWay = 0;
  /** Whether those that are on their way are stored by a history. */
  #areStored = false;
  /** Publications that have not started, oldest first; undefined while there is none. */
  #waiting: Waiting[] | undefined;
  /** Publish commands that are not acknowledged yet. */
  #unanswered = 0;

  /** Whether a publication is on its way or not acknowledged. */
  get isBusy(): boolean {
    return this.#underWay > 0 || this.#unanswered > 0;
  }

  /** Runs `work`, which publishes and then acknowledges; the connection counts as busy until it ends. */
  async answer(work: () => Promise<void>): Promise<void> {
    this.#unanswered += 1;
    try {
      await work();
    } finally {
      this.#unanswered -= 1;
    }
  }

  /** Calls `publish` when the order allows it, and resolves or rejects as it does. */
  inOrder(isStored: boolean, publish: () => Promise<Published>): Promise<Published> {
    if (this.#waiting === undefined && this.#mayStart(isStored)) return this.#start(isStored, publish);
    return new Promise((resolve) => {
      const start = (): void => resolve(this.#start(isStored, publish));
      (this.#waiting ??= []).push({ isStored, start });
    });
  }

  #mayStart(isStored: boolean): boolean {
    return this.#underWay === 0 || (isStored && this.#areStored);
  }

  async #start(isStored: boolean, publish: () => Promise<Published>): Promise<Published> {
    this.#underWay += 1;
    this.#areStored = isStored;
    try {
      return await publish();
    } finally {
      this.#underWay -= 1;
      this.#startWaiting();
    }
  }

  /** Starts the first that waits, if it may, and with it those that need not wait for it. */
  #startWaiting(): void {
    const waiting = this.#waiting ?? [];
    while (waiting[0] !== undefined && this.#mayStart(waiting[0].isStored)) waiting.shift()?.start();
    if (waiting.length === 0) this.#waiting = undefined;
  }
}
